/** What a tool's file imports from `toolgate`. */
export { command, container, defineTool, fn, inline, npm } from './tool/define.ts'
