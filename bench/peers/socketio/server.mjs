// The peer of live tracking: stock Socket.IO 4.8 with its Redis adapter, as its documentation sets it up. A client joins
// the room of an order by subscribe-order; positions come over Redis in the adapter's own format.
//
// Usage: node server.mjs PORT REDIS_URL
import { createServer } from "node:http";
import { createAdapter } from "@socket.io/redis-adapter";
import { Redis } from "ioredis";
import { Server } from "socket.io";

const [port, redisURL] = process.argv.slice(2);
const pub = new Redis(redisURL);
const http = createServer();
const io = new Server(http, { adapter: createAdapter(pub, pub.duplicate()) });
io.on("connection", (socket) => {
  socket.on("subscribe-order", (orderId, ack) => {
    socket.join(orderId);
    ack({ data: { orderId } });
  });
});
http.listen(Number(port), "127.0.0.1");
