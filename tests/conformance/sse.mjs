// GraphQL over server-sent events in distinct-connections mode, by hand and with graphql-sse.
//
// A subscription can be named as the second argument; it must yield more than once.

import { createClient } from 'graphql-sse';
import { endpoint, expect, run } from './report.mjs';

const url = endpoint();
const subscription = process.argv[3];

const stream = (query) =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query }),
  });

const events = (text) =>
  text
    .split('\n\n')
    .filter((block) => block.includes('event:'))
    .map((block) => {
      const [event, ...data] = block.split('\n');
      return [event.slice('event: '.length), data.map((line) => line.slice(5).trim()).join('')];
    });

async function collect(client, request) {
  const results = [];
  for await (const result of client.iterate(request)) {
    results.push(result);
    if (results.length === 2) break;
  }
  return results;
}

const checks = {
  'the answer is an event stream': async () => {
    const response = await stream('{ __typename }');
    expect(response.status, 200, 'status');
    expect(response.headers.get('content-type').split(';')[0], 'text/event-stream', 'type');
    expect(response.headers.get('cache-control'), 'no-store', 'cache-control');
    await response.text();
  },
  'a query is answered by next and complete': async () => {
    const found = events(await (await stream('{ __typename }')).text());
    expect(found.map(([event]) => event), ['next', 'complete'], 'events');
    expect(Object.keys(JSON.parse(found[0][1]).data), ['__typename'], 'data');
    expect(found[1][1], '', 'data of complete');
  },
  'a document that cannot run is answered in the stream': async () => {
    const response = await stream('{ thisFieldDoesNotExist }');
    expect(response.status, 200, 'status');
    const found = events(await response.text());
    expect(found.map(([event]) => event), ['next', 'complete'], 'events');
    const code = JSON.parse(found[0][1]).errors[0].extensions.code;
    expect(code, 'GRAPHQL_VALIDATION_FAILED', 'code');
  },
  'GET is answered by a stream too': async () => {
    const query = encodeURIComponent('{ __typename }');
    const headers = { accept: 'text/event-stream' };
    const response = await fetch(`${url}?query=${query}`, { headers });
    const found = events(await response.text());
    expect(found.map(([event]) => event), ['next', 'complete'], 'events');
  },
  'malformed JSON is refused with 400': async () => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: '{ ',
    });
    expect(response.status, 400, 'status');
  },
  'the graphql-sse client gets an answer': async () => {
    const client = createClient({ url, singleConnection: false, retryAttempts: 0 });
    const results = await collect(client, { query: '{ __typename }' });
    expect(results.map((result) => Object.keys(result.data)), [['__typename']], 'results');
    client.dispose();
  },
};

if (subscription) {
  checks['the graphql-sse client gets several results and stops'] = async () => {
    const client = createClient({ url, singleConnection: false, retryAttempts: 0 });
    const results = await collect(client, { query: subscription });
    expect(results.map((result) => 'data' in result), [true, true], 'results');
    client.dispose();
  };
}

await run('GraphQL over SSE', checks);
process.exit(0);
