// The query page in a headless Chromium: it renders, completes, runs and documents, and asks no
// other host for anything.
//
// node page.mjs <endpoint> [subscription] [folder for screenshots]
// The browser is taken from CHROMIUM, by default /usr/bin/chromium.

import { chromium } from 'playwright-core';
import { endpoint, expect, run } from './report.mjs';

const url = endpoint();
const subscription = process.argv[3];
const folder = process.argv[4];
const host = new URL(url).host;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
const strangers = [];
const complaints = [];
page.on('request', (request) => {
  const asked = new URL(request.url());
  if (asked.protocol.startsWith('http') && asked.host !== host) strangers.push(request.url());
});
page.on('websocket', (socket) => {
  if (new URL(socket.url()).host !== host) strangers.push(socket.url());
});
page.on('console', (message) => {
  if (message.type() === 'error') complaints.push(message.text());
});
page.on('pageerror', (error) => complaints.push(String(error)));

const shot = (name) => (folder ? page.screenshot({ path: `${folder}/${name}.png` }) : undefined);
const editor = () => page.locator('.graphiql-query-editor .CodeMirror').first();
const result = () => page.locator('.result-window').innerText();

async function type(query) {
  await editor().click();
  await page.keyboard.press('Control+A');
  await page.keyboard.press('Delete');
  await page.keyboard.insertText(query);
  // The editor learns the name of the operation a moment after the last key.
  await new Promise((resolve) => setTimeout(resolve, 500));
}

async function answer(pattern) {
  for (;;) {
    const text = await result();
    if (pattern.test(text)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const checks = {
  'the page renders with its prepared tabs': async () => {
    await page.goto(url);
    await editor().waitFor({ timeout: 4000 });
    expect(await page.title(), 'Daybook', 'title');
    const tabs = await page.locator('.graphiql-tab').count();
    if (tabs < 2) throw new Error(`expected several tabs, found ${tabs}`);
    await shot('page');
  },
  'a query runs': async () => {
    await type('{ __typename }');
    await page.keyboard.press('Control+Enter');
    await answer(/"__typename":/);
    await shot('result');
  },
  'a field completes from the schema': async () => {
    await type('{ __');
    await page.keyboard.press('Control+Space');
    const hint = page.locator('.CodeMirror-hints li').first();
    await hint.waitFor({ timeout: 4000 });
    await shot('completion');
    expect((await hint.innerText()).startsWith('__'), true, 'first completion');
    await page.keyboard.press('Escape');
  },
  'the documentation opens': async () => {
    const button = page.getByRole('button', { name: /documentation explorer/i }).first();
    await button.click();
    await page.locator('.graphiql-doc-explorer').waitFor({ timeout: 4000 });
    await page.locator('.graphiql-doc-explorer a').first().click();
    await page.locator('.graphiql-doc-explorer-back').waitFor({ timeout: 4000 });
    await shot('documentation');
  },
  'the settings open': async () => {
    await page.getByRole('button', { name: /settings/i }).first().click();
    await page.locator('.graphiql-dialog').waitFor({ timeout: 4000 });
    await shot('settings');
    await page.keyboard.press('Escape');
    await page.locator('.graphiql-dialog').waitFor({ state: 'detached', timeout: 4000 });
  },
};

if (subscription) {
  checks['a subscription runs'] = async () => {
    await type(subscription);
    await page.keyboard.press('Control+Enter');
    await answer(/"data":/);
    await shot('subscription');
  };
}

checks['no other host was asked'] = async () => expect(strangers, [], 'requests');
checks['the browser had nothing to complain about'] = async () => expect(complaints, [], 'console');

try {
  await run('query page', checks);
} finally {
  await browser.close();
}
process.exit(0);
