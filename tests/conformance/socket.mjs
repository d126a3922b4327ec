// The graphql-transport-ws protocol, by hand on a raw socket and then with the graphql-ws client.
//
// The checks need only `{ __typename }`, so they work on any schema. A subscription can be named
// as the second argument, such as 'subscription { count(to: 3) }'; it must yield more than once.

import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { endpoint, expect, run } from './report.mjs';

const url = endpoint().replace(/^http/, 'ws');
const subscription = process.argv[3];
const PROTOCOL = 'graphql-transport-ws';

class Raw {
  constructor(protocol = PROTOCOL, options = {}) {
    this.ws = new WebSocket(url, protocol, options);
    this.queue = [];
    this.waiting = [];
    this.closed = new Promise((resolve) => {
      this.ws.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    this.refused = new Promise((resolve) => {
      this.ws.on('unexpected-response', (_, response) => resolve(response.statusCode));
    });
    this.ws.on('error', () => {});
    this.ws.on('message', (data) => {
      const message = JSON.parse(data.toString());
      const next = this.waiting.shift();
      if (next) next(message);
      else this.queue.push(message);
    });
    this.opened = new Promise((resolve) => this.ws.on('open', resolve));
  }

  async send(message) {
    await this.opened;
    this.ws.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  receive() {
    if (this.queue.length > 0) return Promise.resolve(this.queue.shift());
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  async init(payload) {
    await this.send({ type: 'connection_init', payload });
    expect((await this.receive()).type, 'connection_ack', 'answer to connection_init');
    return this;
  }

  async closesWith(code) {
    const closed = await this.closed;
    expect(closed.code, code, `close code (${closed.reason})`);
  }
}

const subscribe = (id, query, more = {}) => ({ type: 'subscribe', id, payload: { query, ...more } });

const checks = {
  'the server selects graphql-transport-ws': async () => {
    const raw = new Raw();
    await raw.opened;
    expect(raw.ws.protocol, PROTOCOL, 'subprotocol');
    raw.ws.close();
  },
  'an unknown subprotocol is closed with 4406': async () => {
    const raw = new WebSocket(url, [], {});
    const code = await new Promise((resolve) => raw.on('close', resolve));
    expect(code, 4406, 'close code');
  },
  'text that is no JSON is closed with 4400': async () => {
    const raw = new Raw();
    await raw.send('{ nonsense');
    await raw.closesWith(4400);
  },
  'a message without type is closed with 4400': async () => {
    const raw = new Raw();
    await raw.send({ id: '1' });
    await raw.closesWith(4400);
  },
  'an unknown type is closed with 4400': async () => {
    const raw = new Raw();
    await raw.send({ type: 'start', id: '1' });
    await raw.closesWith(4400);
  },
  'a subscribe without id is closed with 4400': async () => {
    const raw = await new Raw().init();
    await raw.send({ type: 'subscribe', payload: { query: '{ __typename }' } });
    await raw.closesWith(4400);
  },
  'a subscribe without query is closed with 4400': async () => {
    const raw = await new Raw().init();
    await raw.send({ type: 'subscribe', id: '1', payload: {} });
    await raw.closesWith(4400);
  },
  'a subscribe before the acknowledgement is closed with 4401': async () => {
    const raw = new Raw();
    await raw.send(subscribe('1', '{ __typename }'));
    await raw.closesWith(4401);
  },
  'a missing connection_init is closed with 4408': async () => {
    await new Raw().closesWith(4408);
  },
  'a second connection_init is closed with 4429': async () => {
    const raw = await new Raw().init();
    await raw.send({ type: 'connection_init' });
    await raw.closesWith(4429);
  },
  'a page of another origin cannot open a socket': async () => {
    const raw = new Raw(PROTOCOL, { headers: { origin: 'https://evil.example' } });
    expect(await raw.refused, 403, 'status');
  },
  'a ping is answered by a pong': async () => {
    const raw = new Raw();
    await raw.send({ type: 'ping' });
    expect(await raw.receive(), { type: 'pong' }, 'answer');
    raw.ws.close();
  },
  'a query is answered by next and complete': async () => {
    const raw = await new Raw().init();
    await raw.send(subscribe('q', '{ __typename }'));
    const next = await raw.receive();
    expect([next.type, next.id, 'data' in next.payload], ['next', 'q', true], 'first message');
    expect(await raw.receive(), { id: 'q', type: 'complete' }, 'second message');
    raw.ws.close();
  },
  'an id can be used again after its end': async () => {
    const raw = await new Raw().init();
    for (const _ of [1, 2]) {
      await raw.send(subscribe('same', '{ __typename }'));
      expect((await raw.receive()).type, 'next', 'first message');
      expect((await raw.receive()).type, 'complete', 'second message');
    }
    raw.ws.close();
  },
  'a document that does not parse is answered by error alone': async () => {
    const raw = await new Raw().init();
    await raw.send(subscribe('bad', '{ '));
    const { type, id, payload } = await raw.receive();
    expect([type, id, Array.isArray(payload)], ['error', 'bad', true], 'message');
    expect(payload[0].extensions.code, 'GRAPHQL_PARSE_FAILED', 'code');
    raw.ws.close();
  },
  'a document that does not validate is answered by error alone': async () => {
    const raw = await new Raw().init();
    await raw.send(subscribe('bad', '{ thisFieldDoesNotExist }'));
    const { type, payload } = await raw.receive();
    expect([type, payload[0].extensions.code], ['error', 'GRAPHQL_VALIDATION_FAILED'], 'message');
    await raw.send(subscribe('bad', '{ __typename }'));
    expect((await raw.receive()).type, 'next', 'message after the same id is used again');
    raw.ws.close();
  },
  'the graphql-ws client gets an answer': async () => {
    const client = createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0 });
    const results = [];
    for await (const result of client.iterate({ query: '{ __typename }' })) results.push(result);
    expect(results.map((result) => Object.keys(result.data)), [['__typename']], 'results');
    await client.dispose();
  },
};

if (subscription) {
  Object.assign(checks, {
    'a duplicate id is closed with 4409': async () => {
      const raw = await new Raw().init();
      await raw.send(subscribe('same', subscription));
      await raw.send(subscribe('same', subscription));
      await raw.closesWith(4409);
    },
    'the client ends a subscription by complete': async () => {
      const raw = await new Raw().init();
      await raw.send(subscribe('s', subscription));
      expect((await raw.receive()).type, 'next', 'first message');
      await raw.send({ type: 'complete', id: 's' });
      await raw.send({ type: 'ping' });
      while ((await raw.receive()).type !== 'pong');
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(raw.queue, [], 'messages after the end');
      raw.ws.close();
    },
    'the graphql-ws client gets several results and stops': async () => {
      const client = createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0 });
      let results = 0;
      for await (const result of client.iterate({ query: subscription })) {
        if (result.errors) throw new Error(JSON.stringify(result.errors));
        results += 1;
        if (results === 2) break;
      }
      expect(results, 2, 'results');
      await client.dispose();
    },
  });
}

await run('graphql-transport-ws', checks);
process.exit(0);
