// A customer's browser without the browser: the stock socket.io-client with
// its default options. Usage: node socketio.mjs URL TOKEN ORDER_ID [TRANSPORT]
// Prints one JSON line per thing that happens; ends when stdin closes.
import { io } from 'socket.io-client'

const [url, token, orderId, transport] = process.argv.slice(2)
const say = (event, data) => console.log(JSON.stringify({ event, data }))

const socket = io(url, {
  auth: { token },
  ...(transport ? { transports: [transport] } : {}),
})
socket.on('connect', () => {
  say('connect', { transport: socket.io.engine.transport.name })
  socket.emit('subscribe-order', { orderId, since: 0 }, (ack) => say('subscribed', ack))
})
socket.io.engine?.on('upgrade', (t) => say('upgrade', { transport: t.name }))
socket.on('connect_error', (err) => say('connect_error', { message: err.message }))
socket.on('disconnect', (reason) => say('disconnect', { reason }))
for (const event of ['location-updated', 'order-updated', 'error']) {
  socket.on(event, (data) => say(event, data))
}

process.stdin.resume()
process.stdin.on('end', () => {
  socket.close()
  process.exit(0)
})
