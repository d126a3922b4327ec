// The query page: GraphiQL over the server's own endpoint, with nothing from anywhere else.

import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { setNonce } from 'get-nonce';
import { GraphiQL } from 'graphiql';
import 'graphiql/graphiql.css';
import React from 'react';
import { createRoot } from 'react-dom/client';
import './page.css';

// The one style that the editor adds at run time carries the nonce of this visit.
setNonce(document.querySelector('meta[property=csp-nonce]').content);

const url = new URL('/graphql', location.href);
const socket = new URL(url);
socket.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';

// What stands in the headers editor also goes with every `connection_init`.
const fetcher = createGraphiQLFetcher({ url: url.href, subscriptionUrl: socket.href });

// Examples for a first visit; afterwards the editor keeps the visitor's own tabs.
async function examples() {
  try {
    const response = await fetch('/assets/examples.json');
    return response.ok ? await response.json() : [];
  } catch {
    return [];
  }
}

const tabs = await examples();
const asked = new URLSearchParams(location.search);
const query = asked.get('query') ?? undefined;

createRoot(document.getElementById('page')).render(
  <GraphiQL
    fetcher={fetcher}
    defaultTabs={tabs}
    query={query}
    variables={asked.get('variables') ?? undefined}
    operationName={asked.get('operationName') ?? undefined}
    defaultEditorToolsVisibility="variables"
    shouldPersistHeaders
    inputValueDeprecation
    schemaDescription
  >
    <GraphiQL.Logo>Daybook</GraphiQL.Logo>
  </GraphiQL>,
);
