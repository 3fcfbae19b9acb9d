/** JSON-RPC messages: read from a tool, read from a client, written here, given another id or `_meta`. */
export { readClientMessage } from './client-message.ts'
export { errorMessage, notificationMessage, requestMessage, resultMessage } from './compose.ts'
export { readToolLine } from './tool-line.ts'
export { withId } from './with-id.ts'
export { withMeta, withTrace } from './with-meta.ts'
