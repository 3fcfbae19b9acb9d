import { exponential, pi } from './approximate.ts'
import { type Exact, format, integer, negate, parse } from './exact.ts'
import { apply, OPERATOR_NAMES, type OperatorName } from './operators.ts'

/**
 * The value of an expression in `+ - * / ^ ( )`, the operators by name such as `max(1, 2)`, and the
 * constants `pi` and `e`. `^` binds tightest and to the right, so `-2^2` is `-4`.
 */
export function evaluate(expression: string, precision: number): string {
  const tokens = tokenize(expression)
  const reader: Reader = { tokens, at: 0, depth: 0, precision }
  const value = sum(reader)
  const rest = tokens[reader.at]
  if (rest !== undefined) throw unexpected(rest)
  return format(value, precision)
}

/** Names in an expression that stand for an operator of another name. */
const ALIASES: ReadonlyMap<string, OperatorName> = new Map([
  ['abs', 'absolute'],
  ['ceil', 'ceiling'],
  ['mod', 'modulo'],
  ['pow', 'power'],
  ['trunc', 'truncate'],
])

const MAX_DEPTH = 64
const TOKEN =
  /\s*(?:(\d+(?:\.\d+)?(?:[eE][+-]?\d{1,4})?|\.\d+)|([A-Za-z][A-Za-z0-9]*)|([-+*/^(),]))/y

interface Token {
  readonly kind: 'number' | 'name' | 'sign'
  readonly text: string
  /** Position in the expression, from 1. */
  readonly column: number
}

interface Reader {
  readonly tokens: Token[]
  readonly precision: number
  at: number
  depth: number
}

function tokenize(expression: string): Token[] {
  const tokens: Token[] = []
  const end = expression.trimEnd().length
  TOKEN.lastIndex = 0
  for (let start = 0; start < end; start = TOKEN.lastIndex) {
    const match = TOKEN.exec(expression)
    if (match === null) {
      const column = start + (expression.slice(start).match(/\S/)?.index ?? 0)
      throw unexpected({ kind: 'sign', text: expression.charAt(column), column: column + 1 })
    }
    const [whole, number, name, sign] = match
    const text = number ?? name ?? sign ?? ''
    const kind = number !== undefined ? 'number' : name !== undefined ? 'name' : 'sign'
    tokens.push({ kind, text, column: start + whole.length - text.length + 1 })
  }
  return tokens
}

function sum(reader: Reader): Exact {
  let value = product(reader)
  for (let sign = take(reader, '+', '-'); sign !== undefined; sign = take(reader, '+', '-')) {
    value = apply(sign === '+' ? 'add' : 'subtract', [value, product(reader)], reader.precision)
  }
  return value
}

function product(reader: Reader): Exact {
  let value = signed(reader)
  for (let sign = take(reader, '*', '/'); sign !== undefined; sign = take(reader, '*', '/')) {
    value = apply(sign === '*' ? 'multiply' : 'divide', [value, signed(reader)], reader.precision)
  }
  return value
}

function signed(reader: Reader): Exact {
  return nested(reader, () => {
    const sign = take(reader, '+', '-')
    if (sign === undefined) return power(reader)
    const value = signed(reader)
    return sign === '-' ? negate(value) : value
  })
}

function power(reader: Reader): Exact {
  const base = atom(reader)
  if (take(reader, '^') === undefined) return base
  return apply('power', [base, signed(reader)], reader.precision)
}

function atom(reader: Reader): Exact {
  const token = reader.tokens[reader.at]
  if (token === undefined) throw new Error('The expression ends too early.')
  reader.at += 1
  if (token.kind === 'number') return parse(token.text)
  if (token.kind === 'name') return named(reader, token)
  if (token.text !== '(') throw unexpected(token)
  const value = sum(reader)
  expect(reader, ')')
  return value
}

function named(reader: Reader, token: Token): Exact {
  if (token.text === 'pi') return pi(reader.precision)
  if (token.text === 'e') return exponential(integer(1), reader.precision)
  const operator = OPERATOR_NAMES.find((name) => name === token.text) ?? ALIASES.get(token.text)
  if (operator === undefined) {
    throw new Error(`Unknown name ${JSON.stringify(token.text)} at column ${token.column}.`)
  }
  expect(reader, '(')
  const operands = [sum(reader)]
  while (take(reader, ',') !== undefined) operands.push(sum(reader))
  expect(reader, ')')
  return apply(operator, operands, reader.precision)
}

/** Every way down the grammar passes here, so the stack is bounded. */
function nested(reader: Reader, run: () => Exact): Exact {
  reader.depth += 1
  if (reader.depth > MAX_DEPTH) {
    throw new Error(`The expression is nested deeper than ${MAX_DEPTH} levels.`)
  }
  const value = run()
  reader.depth -= 1
  return value
}

function take(reader: Reader, ...signs: string[]): string | undefined {
  const token = reader.tokens[reader.at]
  if (token === undefined || token.kind !== 'sign' || !signs.includes(token.text)) return undefined
  reader.at += 1
  return token.text
}

function expect(reader: Reader, sign: string): void {
  if (take(reader, sign) !== undefined) return
  const token = reader.tokens[reader.at]
  throw token === undefined
    ? new Error(`The expression ends where ${sign} is expected.`)
    : new Error(`Expected ${sign} at column ${token.column}, not ${JSON.stringify(token.text)}.`)
}

function unexpected(token: Token): Error {
  return new Error(`Unexpected ${JSON.stringify(token.text)} at column ${token.column}.`)
}
