// The peer's gateway: Express forwarding with axios, keep-alive on.
// Usage: node gateway.mjs PORT SERVICE_URL
import http from 'node:http'
import axios from 'axios'
import express from 'express'

const [port, target] = process.argv.slice(2)
const service = axios.create({ baseURL: target, httpAgent: new http.Agent({ keepAlive: true, maxSockets: 64 }), validateStatus: () => true })
const app = express()
app.use(express.json())
app.use('/orders', async (req, res) => {
  const answer = await service.request({ method: req.method, url: req.originalUrl, data: req.method === 'GET' ? undefined : req.body })
  res.status(answer.status).json(answer.data)
})
app.listen(Number(port), '127.0.0.1', () => console.log('ready'))
