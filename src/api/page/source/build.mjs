// Bundles the page and writes what the server embeds: `../assets/*.gz` and the licences.

import { build } from 'esbuild';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const assets = new URL('../assets/', import.meta.url).pathname;

// Text is set in the fonts of the reader's system, which know Chinese too; those that the editor
// would bring are three times its style sheet.
const withoutFonts = {
  name: 'without-fonts',
  setup({ onLoad }) {
    onLoad({ filter: /graphiql.*\.css$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      return { contents: text.replace(/@font-face\s*\{[^}]*\}/g, ''), loader: 'css' };
    });
  },
};

const result = await build({
  entryPoints: { page: 'page.jsx' },
  outdir: 'out',
  write: false,
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'transform',
  legalComments: 'none',
  metafile: true,
  define: { 'process.env.NODE_ENV': '"production"' },
  plugins: [withoutFonts],
});

await rm(assets, { recursive: true, force: true });
await mkdir(assets, { recursive: true });
for (const { path, contents } of result.outputFiles) {
  const name = path.split('/').pop();
  const packed = gzipSync(contents, { level: 9 });
  // The header would otherwise carry the time and system of the build.
  packed.fill(0, 4, 8);
  packed[9] = 255;
  await writeFile(join(assets, `${name}.gz`), packed);
  console.log(name, contents.length, 'bytes,', packed.length, 'packed');
}
await writeFile(join(assets, 'LICENSES.txt'), await licences(Object.keys(result.metafile.inputs)));

async function licences(inputs) {
  const packages = new Set();
  for (const input of inputs) {
    const inside = input.split('node_modules/').pop();
    if (inside === input) continue;
    const parts = inside.split('/');
    const name = parts[0].startsWith('@') ? parts.slice(0, 2).join('/') : parts[0];
    packages.add(input.slice(0, input.length - inside.length) + name);
  }
  const texts = new Map();
  for (const folder of [...packages].sort()) {
    const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json')));
    const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file ? (await readFile(join(folder, file), 'utf8')).trim() : '';
    const held = texts.get(text) ?? [];
    held.push(`${name} ${version} (${license})`);
    texts.set(text, held);
  }
  const blocks = [...texts].map(([text, names]) => `${names.join('\n')}\n\n${text}`.trim());
  return `${blocks.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}
