// Somebody who has nothing but the AsyncAPI document: reads it with the stock
// parser and judges real messages by it.
// Usage: node asyncapi.mjs URL. Prints {"event":"parsed","data":{errors,channels}},
// then for each JSON line {channel, headers, payload} on stdin one
// {"event":"judged","data":{channel,errors}}; ends when stdin closes.
import readline from 'node:readline'
import { Parser } from '@asyncapi/parser'
import Ajv from 'ajv'
import formats from 'ajv-formats'

const say = (event, data) => console.log(JSON.stringify({ event, data }))

const text = await (await fetch(process.argv[2])).text()
const { document, diagnostics } = await new Parser().parse(text)
const errors = diagnostics.filter((d) => d.severity === 0).map((d) => `${d.path.join('/')}: ${d.message}`)
const channels = document ? document.channels().all().map((c) => c.address()) : []
say('parsed', { errors, channels })

// Money is a multiple of 0.01, which binary fractions are only nearly.
const ajv = new Ajv({ strict: false, allErrors: true, multipleOfPrecision: 6 })
formats(ajv)
const judges = new Map()
for (const channel of document?.channels().all() ?? []) {
  for (const message of channel.messages().all()) {
    judges.set(channel.address(), {
      headers: ajv.compile(plain(message.headers().json())),
      payload: ajv.compile(plain(message.payload().json())),
    })
  }
}

// plain leaves out what the parser adds.
function plain(schema) {
  return JSON.parse(JSON.stringify(schema, (key, value) => (key.startsWith('x-parser-') ? undefined : value)))
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { channel, headers, payload } = JSON.parse(line)
  const judge = judges.get(channel)
  const found = judge ? [] : ['no such channel']
  for (const part of judge ? ['headers', 'payload'] : []) {
    if (!judge[part](part === 'headers' ? headers : payload)) {
      found.push(...judge[part].errors.map((e) => `${part}${e.instancePath} ${e.message}`))
    }
  }
  say('judged', { channel, errors: found })
}
