// The GraphQL over HTTP audits. Warnings count as failures: each names a SHOULD of the draft.

import { serverAudits } from 'graphql-http';
import { endpoint, report } from './report.mjs';

const EXPECTED = 61;

const audits = serverAudits({ url: endpoint() });
const results = await Promise.all(audits.map((audit) => audit.fn()));
if (results.length !== EXPECTED) {
  console.error(`expected ${EXPECTED} audits, found ${results.length}: review the pinned version`);
  process.exit(1);
}
report('GraphQL over HTTP', results.map(({ name, status, reason }) => ({ name, status, reason })));
