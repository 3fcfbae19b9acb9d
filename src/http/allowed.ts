import { staticDocument } from '../contract/operations.ts'

let routes: readonly (readonly [path: RegExp, methods: readonly string[]])[] | undefined

/** The methods that a path of the static contract has; none where there is no such route. */
export function allowedAt(path: string): readonly string[] {
  routes ??= Object.entries(staticDocument().paths).map(([template, item]) => {
    const literal = template.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')
    const methods = Object.keys(item).map((method) => method.toUpperCase())
    return [new RegExp(`^${literal}$`), methods.flatMap(withHead)] as const
  })
  return routes.find(([route]) => route.test(path))?.[1] ?? []
}

function withHead(method: string): readonly string[] {
  return method === 'GET' ? ['GET', 'HEAD'] : [method]
}
