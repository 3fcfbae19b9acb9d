const { NODE_V8_COVERAGE } = process.env
const STRIP_ONCE = new URL('strip-once.js', import.meta.url).href

/** Options of Node for the gateway's own processes where coverage is measured: see strip-once.js. */
export const MEASURED: readonly string[] =
  NODE_V8_COVERAGE === undefined
    ? []
    : ['--disable-warning=ExperimentalWarning', '--import', STRIP_ONCE]

/** And their variables. */
export const MEASURED_ENV: Readonly<Record<string, string>> =
  NODE_V8_COVERAGE === undefined ? {} : { NODE_V8_COVERAGE, NODE_DISABLE_COMPILE_CACHE: '1' }
