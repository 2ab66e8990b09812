// Drives a running gateway with OpenAI's own client for Node: one line per fact,
// exit code 1 when one of them does not hold.
//
//   EASEL_URL, EASEL_API_KEY, EASEL_ADMIN_KEY   the gateway and its keys
//   EASEL_PICTURE                               a PNG file to edit
//   EASEL_LIMITED_MODEL                         a model that a user may use once a month
import assert from 'node:assert/strict'
import { createReadStream } from 'node:fs'
import OpenAI from 'openai'

const { EASEL_URL, EASEL_API_KEY, EASEL_ADMIN_KEY, EASEL_PICTURE, EASEL_LIMITED_MODEL } = process.env
const baseURL = `${EASEL_URL}/v1`
const client = new OpenAI({ baseURL, apiKey: EASEL_API_KEY })

const facts = {
  async 'an image comes as base64'() {
    const { data } = await client.images.generate({
      model: 'gpt-image-2', prompt: 'a lighthouse at dusk', size: '1024x1024', quality: 'low',
    })
    assert.equal(Buffer.from(data[0].b64_json, 'base64').subarray(1, 4).toString(), 'PNG')
  },

  async 'an image comes as an address'() {
    const { data } = await client.images.generate({
      model: 'dall-e-3', prompt: 'a lighthouse at dusk', response_format: 'url',
    })
    const answer = await fetch(data[0].url)
    assert.match(answer.headers.get('content-type'), /^image\//)
  },

  async 'an image is edited'() {
    const { data } = await client.images.edit({
      model: 'gpt-image-2', prompt: 'add a boat', image: createReadStream(EASEL_PICTURE),
    })
    assert.ok(data[0].b64_json.length > 100)
  },

  async 'a chat answer streams'() {
    const stream = await client.chat.completions.create({
      model: 'gemini-flash', stream: true, stream_options: { include_usage: true },
      messages: [{ role: 'user', content: 'describe a lighthouse' }],
    })
    let text = '', pieces = 0, reason, usage
    for await (const chunk of stream) {
      const [choice] = chunk.choices
      if (choice?.delta?.content) { text += choice.delta.content; pieces++ }
      reason = choice?.finish_reason ?? reason
      usage = chunk.usage ?? usage
    }
    assert.ok(pieces > 1 && text.length > 10)
    assert.equal(reason, 'stop')
    assert.ok(usage.total_tokens > 0)
  },

  async 'a chat answer comes whole'() {
    const answer = await client.chat.completions.create({
      model: 'gemini-1.5-flash', messages: [{ role: 'user', content: 'describe a lighthouse' }],
    })
    assert.equal(answer.choices[0].message.role, 'assistant')
    assert.ok(answer.choices[0].message.content.length > 10)
  },

  async 'models are listed'() {
    const names = []
    for await (const model of await client.models.list()) names.push(model.id)
    for (const name of ['auto', 'flux-dev', 'dall-e-3', 'pika-1.0']) assert.ok(names.includes(name), name)
  },

  async 'a video is made and downloaded'() {
    let video = await client.videos.create({ model: 'pika-1.0', prompt: 'waves against a pier', seconds: '5' })
    for (let looks = 0; !['completed', 'failed'].includes(video.status); looks++) {
      assert.ok(looks < 600, 'the video takes too long')
      await new Promise((resolve) => setTimeout(resolve, 100))
      video = await client.videos.retrieve(video.id)
    }
    assert.equal(video.status, 'completed')
    const content = await client.videos.downloadContent(video.id)
    const file = Buffer.from(await content.arrayBuffer())
    assert.equal(file.subarray(4, 8).toString(), 'ftyp')
  },

  async 'a video that is being made is deleted'() {
    const video = await client.videos.create({ model: 'gen4.5', prompt: 'waves against a pier', seconds: '5' })
    const gone = await client.videos.delete(video.id)
    assert.deepEqual([gone.id, gone.object, gone.deleted], [video.id, 'video.deleted', true])
    assert.notEqual((await client.videos.retrieve(video.id)).status, 'completed')
    await assert.rejects(client.videos.downloadContent(video.id), (e) => e.status >= 400 && e.status < 500 && e.code !== undefined)
    await assert.rejects(client.videos.retrieve('task_of_nobody'), (e) => e instanceof OpenAI.NotFoundError)
  },

  async 'every answer has a request id'() {
    const { request_id } = await client.models.list().withResponse()
    assert.match(request_id, /\S{8,}/)
    await assert.rejects(client.images.generate({ model: 'nope', prompt: 'a' }), (e) => e.requestID?.length >= 8)
  },

  async 'a wrong key is an AuthenticationError'() {
    const stranger = new OpenAI({ baseURL, apiKey: 'sk-wrong' })
    await assert.rejects(stranger.models.list(), (e) =>
      e instanceof OpenAI.AuthenticationError && e.status === 401 && e.code === 'invalid_api_key' && e.headers.get('www-authenticate') !== null)
  },

  async 'a key without requests left is a RateLimitError that says when to come back'() {
    const made = await fetch(`${EASEL_URL}/api/admin/keys`, {
      method: 'POST', headers: { Authorization: `Bearer ${EASEL_ADMIN_KEY}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ name: 'slow', account: 'demo', scopes: ['generate', 'read'], rate_per_minute: 1 }),
    })
    const slow = new OpenAI({ baseURL, apiKey: (await made.json()).secret, maxRetries: 0 })
    let refusal
    for (let asked = 0; asked < 3 && !refusal; asked++) { // a minute may end in between
      await slow.chat.completions.create({ messages: [{ role: 'user', content: 'hello' }] }).catch((e) => { refusal = e })
    }
    assert.ok(refusal instanceof OpenAI.RateLimitError && refusal.code === 'rate_limited', String(refusal))
    assert.ok(Number(refusal.headers.get('retry-after')) > 0)
  },

  async 'a wrong field is a BadRequestError that names it'() {
    await assert.rejects(client.images.generate({ model: 'gpt-image-2', prompt: 'a', size: '7x7' }), (e) =>
      e instanceof OpenAI.BadRequestError && e.param === 'size' && e.type === 'invalid_request_error')
  },

  async 'an unknown model is a NotFoundError'() {
    await assert.rejects(client.images.generate({ model: 'nope', prompt: 'a' }), (e) =>
      e instanceof OpenAI.NotFoundError && e.code === 'model_not_found' && e.param === 'model')
  },

  async 'an account without credits is told so'() {
    const poor = new OpenAI({ baseURL, apiKey: EASEL_ADMIN_KEY, defaultHeaders: { 'X-Easel-Account': 'poor' } })
    await assert.rejects(poor.images.generate({ prompt: 'a' }), (e) =>
      e.status === 402 && e.code === 'insufficient_credits')
  },

  async 'a used up monthly limit is a RateLimitError'() {
    const ask = () => client.images.generate({ model: EASEL_LIMITED_MODEL, prompt: 'a', user: 'from node' })
    await ask()
    await assert.rejects(ask(), (e) =>
      e instanceof OpenAI.RateLimitError && e.code === 'quota_exceeded' && e.type === 'insufficient_quota')
  },
}

let failed = 0
for (const [name, holds] of Object.entries(facts)) {
  try {
    await holds()
    console.log(`ok    ${name}`)
  } catch (e) {
    failed++
    console.log(`FAIL  ${name}: ${e.stack}`)
  }
}
process.exit(failed ? 1 : 0)
