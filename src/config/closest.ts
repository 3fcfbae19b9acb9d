export { closest, withSuggestion } from '../tool/closest.ts'
