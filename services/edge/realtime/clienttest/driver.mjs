// Runs stock clients as a Go test tells it: one JSON command a line on stdin, one JSON report a line on stdout.
//
//   {"cmd":"io", url, options}          opens a socket.io-client; its events are reported as {"event", "data"}
//   {"cmd":"ws", url, protocols, headers}   opens a ws client; its messages likewise
//   {"cmd":"emit", "id", event, args}   emits with an acknowledgement, reported as {"ack": id, "data"}
//   {"cmd":"tell", event, args}         emits without one
//   {"cmd":"send", "text"}              sends text over the ws client
//   {"cmd":"transport"}                 reports {"event":"transport", "data": name}
//   {"cmd":"disconnect"} {"cmd":"connect"}  leaves and comes back, with the same socket.io-client
import { createInterface } from "node:readline";
import { io } from "socket.io-client";
import WebSocket from "ws";

let socket;
let plain;

const report = (r) => process.stdout.write(JSON.stringify(r) + "\n");

const commands = {
  io({ url, options }) {
    socket = io(url, { reconnectionDelay: 50, reconnectionDelayMax: 200, ...options });
    socket.on("connect", () => report({ event: "connect", data: socket.io.engine.transport.name }));
    socket.on("disconnect", (reason) => report({ event: "disconnect", data: reason }));
    socket.on("connect_error", (err) => report({ event: "connect_error", data: err.message }));
    socket.io.on("reconnect", () => report({ event: "reconnect", data: null }));
    socket.onAny((event, data) => report({ event, data }));
  },
  ws({ url, protocols, headers, options }) {
    plain = new WebSocket(url, protocols ?? [], { headers, ...options });
    plain.on("open", () => report({ event: "open", data: { protocol: plain.protocol, extensions: plain.extensions } }));
    plain.on("message", (text, binary) => report({ event: "message", data: binary ? "binary" : JSON.parse(text) }));
    plain.on("close", (code, reason) => report({ event: "close", data: { code, reason: reason.toString() } }));
    plain.on("unexpected-response", (_, res) => report({ event: "refused", data: res.statusCode }));
    plain.on("error", (err) => report({ event: "failed", data: err.message }));
    plain.on("ping", () => report({ event: "ping", data: null }));
  },
  emit({ id, event, args }) {
    socket.emit(event, ...(args ?? []), (data) => report({ ack: id, data }));
  },
  tell({ event, args }) {
    socket.emit(event, ...(args ?? []));
  },
  binary({ id, event }) {
    socket.emit(event, Buffer.from([1, 2, 3]), (data) => report({ ack: id, data }));
  },
  send({ text }) {
    plain.send(text);
  },
  sendBinary() {
    plain.send(Buffer.from([1, 2, 3]));
  },
  transport() {
    report({ event: "transport", data: socket.io.engine.transport.name });
  },
  disconnect() {
    socket.disconnect();
  },
  connect() {
    socket.connect();
  },
};

const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const command = JSON.parse(line);
  commands[command.cmd](command);
});
lines.on("close", () => process.exit(0));
report({ event: "ready", data: process.version });
