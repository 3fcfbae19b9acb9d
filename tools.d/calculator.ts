import { defineTool, fn, inline } from 'toolgate'
import { z } from 'zod'
import { convert } from './_calculator/convert.ts'
import { DECIMAL, MAX_TEXT } from './_calculator/exact.ts'
import { evaluate } from './_calculator/expression.ts'
import { calculate, OPERATOR_NAMES } from './_calculator/operators.ts'
import { statistics } from './_calculator/statistics.ts'
import { DIMENSIONS, UNITS } from './_calculator/units.ts'

const decimal = z
  .string()
  .max(MAX_TEXT)
  .regex(DECIMAL, 'must be a decimal number as a string, such as "-12.5" or "6.02e23"')
  .describe('A decimal number as a string, such as "-12.5" or "6.02e23".')

const precision = z
  .int()
  .min(1)
  .max(100)
  .default(28)
  .describe('Significant digits of the result, rounded once, half to even.')

const number = (description: string) =>
  z.string().describe(`${description} Plain decimal: no exponent, no trailing zeros.`)

const unitName = (description: string) => z.string().min(1).max(64).describe(description)

const unit = z.object({
  symbol: z.string().describe('What convert answers with.'),
  name: z.string().describe('Its name.'),
  aliases: z.array(z.string()).describe('Other names that convert accepts.'),
})

const spread = z.object({
  variance: number('The variance.'),
  standard_deviation: number('Its square root.'),
})

/** Nothing is changed, and nothing but the arguments is read. */
const annotations = { readOnlyHint: true, idempotentHint: true, openWorldHint: false }

export default defineTool({
  title: 'Calculator',
  description: 'Exact decimal arithmetic, statistics and unit conversion.',
  runtime: inline({
    calculate: fn({
      description:
        'Apply one operator to decimal numbers. The same input always gives the same text.',
      input: z.object({
        operator: z
          .enum(OPERATOR_NAMES)
          .describe(
            'add, subtract, multiply, divide: two or more operands, from left to right. ' +
              'min, max: one or more. modulo: the rest, with the sign of the first. power: base, ' +
              'exponent. root: number, degree. round: number and, if wanted, decimal places; ' +
              'half to even. The others take one.',
          ),
        operands: z
          .array(decimal)
          .min(1)
          .max(1000)
          .describe('Decimal numbers as strings, in order.'),
        precision,
      }),
      output: z.object({ result: number('The result.') }),
      annotations,
      run: ({ operator, operands, precision }) => ({
        result: calculate(operator, operands, precision),
      }),
    }),

    evaluate: fn({
      description: 'Compute an expression such as "2 * (3 + 4) ^ 2 / sqrt(2)".',
      input: z.object({
        expression: z
          .string()
          .min(1)
          .max(1000)
          .describe(
            'Numbers, + - * / ^ and parentheses, pi, e, and the operators of calculate by name. ' +
              '^ binds tightest, to the right: -2^2 is -4.',
          ),
        precision,
      }),
      output: z.object({ result: number('The value.') }),
      annotations,
      run: ({ expression, precision }) => ({ result: evaluate(expression, precision) }),
    }),

    statistics: fn({
      description:
        'Describe a list of decimal numbers: mean, median, quartiles, variance and more.',
      input: z.object({
        values: z
          .array(decimal)
          .min(1)
          .max(10_000)
          .describe('Decimal numbers as strings, in any order.'),
        precision,
      }),
      output: z.object({
        count: z.int().describe('How many values there are.'),
        sum: number('Their sum.'),
        mean: number('The arithmetic mean.'),
        median: number('The middle value, or the mean of the two middle ones.'),
        modes: z
          .array(z.string())
          .describe('What occurs most often, ascending; empty where no value occurs twice.'),
        min: number('The least value.'),
        max: number('The greatest value.'),
        range: number('The greatest less the least.'),
        quartiles: z
          .object({
            method: z.string().describe('How values between two ranks are found.'),
            q1: number('A quarter of the way.'),
            q2: number('Half of the way: the median.'),
            q3: number('Three quarters of the way.'),
            interquartile_range: number('The third less the first.'),
          })
          .describe('The points that cut the ordered values into four.'),
        population: spread.describe('For the values as all there are: divided by count.'),
        sample: spread
          .optional()
          .describe('For the values as a sample: divided by count - 1. Absent for one value.'),
      }),
      annotations,
      run: ({ values, precision }) => statistics(values, precision),
    }),

    convert: fn({
      description: 'Convert a number from one unit to another of the same dimension.',
      input: z.object({
        value: decimal,
        from: unitName('Symbol or name of its unit, such as "mi" or "mile".'),
        to: unitName('Symbol or name of the wanted unit, such as "km".'),
        precision,
      }),
      output: z.object({
        result: number('The converted number.'),
        from: z.string().describe('Symbol of the unit it was in.'),
        to: z.string().describe('Symbol of the unit it is in.'),
        dimension: z.enum(DIMENSIONS).describe('What both units measure.'),
      }),
      annotations,
      run: ({ value, from, to, precision }) => convert(value, from, to, precision),
    }),

    units: fn({
      description: 'List the units that convert knows.',
      input: z.object({
        dimension: z.enum(DIMENSIONS).optional().describe('Only units of this dimension.'),
      }),
      output: z.object({
        dimensions: z
          .array(
            z.object({
              dimension: z.enum(DIMENSIONS).describe('What the units measure.'),
              units: z.array(unit).describe('Its units, the base unit first.'),
            }),
          )
          .describe('The dimensions, in a fixed order.'),
      }),
      annotations,
      run: ({ dimension }) => ({
        dimensions: (dimension === undefined ? DIMENSIONS : [dimension]).map((dimension) => ({
          dimension,
          units: UNITS[dimension].map(({ symbol, name, aliases }) => ({
            symbol,
            name,
            aliases: [...aliases],
          })),
        })),
      }),
    }),
  }),
  timeout: '2s',
})
