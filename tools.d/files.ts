import { defineTool, npm } from 'toolgate'

/**
 * `read-only` is what the tool asks for, and not yet what it is held to: until there is a sandbox,
 * its `write_file` writes.
 */
export default defineTool({
  title: 'Files',
  description: 'Read and search files in the workspace.',
  tags: ['files'],
  runtime: npm('@modelcontextprotocol/server-filesystem@2026.8.31', '{workspace}'),
  policy: { workspace: 'read-only' },
  timeout: '30s',
})
