// The peer's service: Express + pg, without any checks. GET selects the order,
// POST inserts order and outbox row in one transaction.
// Usage: node service.mjs PORT DATABASE_URL
import { randomUUID } from 'node:crypto'
import express from 'express'
import pg from 'pg'

const [port, url] = process.argv.slice(2)
const pool = new pg.Pool({ connectionString: url, max: 16 })
const app = express()
app.use(express.json())

app.get('/orders/:id', async (req, res) => {
  const { rows } = await pool.query({ name: 'get', text: 'SELECT * FROM bench_orders WHERE id = $1', values: [req.params.id] })
  if (rows.length === 0) return res.status(404).json({ error: 'not found' })
  res.json(rows[0])
})

app.post('/orders', async (req, res) => {
  const id = randomUUID()
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    await client.query({ name: 'order', text: 'INSERT INTO bench_orders (id, body) VALUES ($1, $2)', values: [id, req.body] })
    await client.query({ name: 'outbox', text: 'INSERT INTO bench_outbox (id, payload) VALUES ($1, $2)', values: [randomUUID(), { orderId: id }] })
    await client.query('COMMIT')
  } catch (err) {
    await client.query('ROLLBACK')
    throw err
  } finally {
    client.release()
  }
  res.status(201).json({ id })
})

app.listen(Number(port), '127.0.0.1', () => console.log('ready'))
