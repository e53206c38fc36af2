// An outsider's consumer of the bridged events, with the stock amqplib.
// Usage: node amqp.mjs RABBITMQ_URL. Prints {"event":"bound"} once its own
// queue is bound, then one JSON line per message; ends when stdin closes.
import amqp from 'amqplib'

const connection = await amqp.connect(process.argv[2])
const channel = await connection.createChannel()
const { queue } = await channel.assertQueue('', { exclusive: true })
for (const key of ['order.created', 'order.assigned']) {
  await channel.bindQueue(queue, 'orders', key)
}
await channel.consume(queue, (message) => {
  console.log(
    JSON.stringify({
      event: message.fields.routingKey,
      data: JSON.parse(message.content.toString()),
      properties: message.properties,
    }),
  )
  channel.ack(message)
})
console.log(JSON.stringify({ event: 'bound' }))

process.stdin.resume()
process.stdin.on('end', async () => {
  await connection.close()
  process.exit(0)
})
