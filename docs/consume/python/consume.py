"""Prints Tiffin's orders as they come from RabbitMQ, each once.

    pip install -r requirements.txt && RABBITMQ_URL=amqp://… python consume.py
"""
import os

import pika

connection = pika.BlockingConnection(pika.URLParameters(os.environ["RABBITMQ_URL"]))
channel = connection.channel()

# A queue of your own: durable and replicated, it collects orders also while you are away.
channel.queue_declare("my-kitchen", durable=True, arguments={"x-queue-type": "quorum"})
channel.queue_bind("my-kitchen", "orders", "order.*")
channel.basic_qos(prefetch_count=50)

seen = set()  # yours: a table with the id as its key, written in the transaction of the effect


def handle(channel, delivery, properties, body):
    if properties.message_id not in seen:  # after a fault an event may come again, with the same id
        seen.add(properties.message_id)
        print(properties.type, body.decode(), flush=True)
    channel.basic_ack(delivery.delivery_tag)


channel.basic_consume("my-kitchen", handle)
channel.start_consuming()
