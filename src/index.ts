/** What a tool's file imports as `toolgate`. */
export * from './tool/define.ts'
