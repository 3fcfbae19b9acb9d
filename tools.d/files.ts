import { defineTool, npm } from 'toolgate'

/** Its `write_file` fails: the folder is mounted `read-only` in its cell. */
export default defineTool({
  title: 'Files',
  description: 'Read and search files in the workspace.',
  tags: ['files'],
  runtime: npm('@modelcontextprotocol/server-filesystem@2026.8.31', '{workspace}'),
  policy: { workspace: 'read-only' },
  timeout: '30s',
})
