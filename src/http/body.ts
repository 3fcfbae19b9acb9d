import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import express, { type RequestHandler } from 'express'
import { ToolgateError } from '../errors.ts'
import { hasLongNumber, parseExact } from '../protocol/exact-json.ts'
import { findJsonMistake } from './json-mistake.ts'

const exactTexts = new WeakMap<IncomingMessage, string>()

/**
 * Reads a JSON body of at most `limit` bytes, once; no body is `{}`. Other media types are refused.
 * The Content-Type is put in one form, because the validator keeps a checker for every form it
 * meets, for ever.
 */
export function readJson(limit: number): RequestHandler[] {
  const readText = express.text({ limit, type: () => true })
  return [
    (req, res, next) => {
      if (req.method !== 'POST') return next()
      if (hasBody(req.headers) && !isJson(req.headers['content-type'])) {
        throw new ToolgateError('unsupported_media_type', 'Send application/json.')
      }
      readText(req, res, next)
    },
    (req, _res, next) => {
      if (req.method !== 'POST') return next()
      req.body = parse(req, typeof req.body === 'string' ? req.body : '')
      req.headers['content-type'] = 'application/json'
      next()
    },
  ]
}

/** The body with every number as it was written, for whoever passes it on. */
export function exactBody(req: IncomingMessage & { body?: unknown }): unknown {
  const text = exactTexts.get(req)
  return text === undefined ? req.body : parseExact(text)
}

function parse(req: IncomingMessage, text: string): unknown {
  if (text === '') return {}
  if (hasLongNumber(text)) exactTexts.set(req, text)
  try {
    return JSON.parse(text)
  } catch (cause) {
    const { position, message } = findJsonMistake(text)
    const detail = `The body is not JSON: ${message} at position ${position}.`
    throw new ToolgateError('parse_error', detail, { cause, data: { position } })
  }
}

function hasBody(headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

function isJson(contentType: string | undefined): boolean {
  return /^application\/(?:[a-z0-9.-]{1,100}\+)?json\s*(?:;|$)/i.test(contentType ?? '')
}
