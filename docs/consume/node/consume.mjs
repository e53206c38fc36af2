// Prints Tiffin's orders as they come from RabbitMQ, each once.
//   npm install && RABBITMQ_URL=amqp://… node consume.mjs
import amqp from 'amqplib';

const connection = await amqp.connect(process.env.RABBITMQ_URL);
connection.on('close', () => process.exit(1)); // start again: what was not acknowledged comes again
const channel = await connection.createChannel();

// A queue of your own: durable and replicated, it collects orders also while you are away.
await channel.assertQueue('my-kitchen', { durable: true, arguments: { 'x-queue-type': 'quorum' } });
await channel.bindQueue('my-kitchen', 'orders', 'order.*');
await channel.prefetch(50);

const seen = new Set(); // yours: a table with the id as its key, written in the transaction of the effect
await channel.consume('my-kitchen', (message) => {
  if (message === null) process.exit(1); // the queue was deleted
  const { messageId, type } = message.properties;
  if (!seen.has(messageId)) { // after a fault an event may come again, with the same id
    seen.add(messageId);
    console.log(type, message.content.toString());
  }
  channel.ack(message);
});
