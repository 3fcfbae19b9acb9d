import { defineTool, npm } from 'toolgate'

export default defineTool({
  title: 'Files',
  description: 'Read and search files in the workspace.',
  tags: ['files'],
  runtime: npm('@modelcontextprotocol/server-filesystem@2026.8.31', '{workspace}'),
  policy: { workspace: 'read-only' },
  timeout: '30s',
})
