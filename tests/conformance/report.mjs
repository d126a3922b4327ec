// Prints one line per check and ends the process with 1 when one of them fails.

export function report(title, checks) {
  const failed = checks.filter((check) => check.status !== 'ok');
  for (const { name, status, reason } of checks) {
    console.log(`${status.padEnd(6)} ${name}${reason ? `\n       ${reason}` : ''}`);
  }
  console.log(`${title}: ${checks.length - failed.length} of ${checks.length} ok\n`);
  if (failed.length > 0) process.exit(1);
}

// Runs named checks one after another; a check fails by throwing.
export async function run(title, checks) {
  const results = [];
  for (const [name, check] of Object.entries(checks)) {
    try {
      await within(5000, check());
      results.push({ name, status: 'ok' });
    } catch (error) {
      results.push({ name, status: 'error', reason: error.message });
    }
  }
  report(title, results);
}

export function expect(actual, expected, what) {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: expected ${b}, found ${a}`);
}

export function endpoint() {
  const url = process.argv[2];
  if (!url) {
    console.error('the address of the GraphQL endpoint is needed, such as http://127.0.0.1:4000/graphql');
    process.exit(2);
  }
  return url;
}

function within(ms, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
