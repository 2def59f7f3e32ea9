// Checks a running Chillproxy with what the Stremio project publishes: the linter accepts the manifests,
// and the client that older Stremio apps contain finds streams that can be played.
//
//   npm ci && node check.mjs <configured manifest URL> <base URL>
//
// The server must stand on the simulators' demo world (`chill-sim world --seed demo`), whose titles are named below.
// Prints a line for each check and `N passed, N failed` at the end; leaves with 1 when a check failed. The link id
// in the manifest URL is a credential, so no line repeats an address.

import assert from 'node:assert/strict';
import addonClient from 'stremio-addon-client';
import linter from 'stremio-addon-linter';

const FILM = ['movie', 'tt0063350'];
const EPISODE = ['series', 'tt0047706:1:2'];
const PATIENCE_MS = 30_000;

const [configuredUrl, baseUrl] = process.argv.slice(2);
if (!configuredUrl || !baseUrl) {
  console.error('usage: node check.mjs <configured manifest URL> <base URL>');
  process.exit(2);
}

let passed = 0;
let failed = 0;

async function check(what, body) {
  try {
    await within(body());
    passed += 1;
    console.log(`ok      ${what}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${what}: ${withoutAddresses(error?.message ?? String(error))}`);
  }
}

function within(promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${PATIENCE_MS / 1000} seconds`)), PATIENCE_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function withoutAddresses(text) {
  return text.replaceAll(/(https?|stremio):\/\/\S+/g, '<address>').slice(0, 400);
}

async function manifestAt(url) {
  const answer = await fetch(url);
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
  assert.equal(answer.headers.get('access-control-allow-origin'), '*', 'Stremio reads addons from another origin');
  return answer.json();
}

function assertLints(manifest) {
  const lint = linter.lintManifest(manifest);
  const said = [...lint.errors, ...lint.warnings].map((fault) => fault.message);
  assert.ok(lint.valid && said.length === 0, `the linter says: ${said.join('; ')}`);
}

function assertPlayable(stream) {
  assert.match(stream.url ?? '', /^https?:\/\//, 'a stream needs an address to play');
  assert.ok(stream.name, 'a stream needs a name');
  assert.ok(stream.description || stream.title, 'a stream needs a description');
  const { filename, videoSize, bingeGroup } = stream.behaviorHints ?? {};
  assert.ok(filename, 'subtitles are found by the file name');
  assert.ok(videoSize === undefined || (Number.isSafeInteger(videoSize) && videoSize > 0), 'videoSize is in bytes');
  assert.ok(bingeGroup, 'the next episode is chosen by the binge group');
}

async function streamsOf(addon, [type, id]) {
  assert.ok(addon.isSupported('stream', type, id), `the manifest does not offer ${type} ${id}`);
  const { streams } = await addon.get('stream', type, id);
  assert.ok(Array.isArray(streams) && streams.length > 0, `no stream for ${type} ${id}`);
  return streams;
}

async function firstBytes(stream) {
  const answer = await fetch(stream.url, { headers: { range: 'bytes=0-1023' } });
  assert.equal(answer.headers.get('x-chillproxy-refusal'), null, 'the server refused to play');
  assert.equal(answer.status, 206);
  assert.match(answer.headers.get('content-range') ?? '', /^bytes 0-1023\/\d+$/);
  assert.equal((await answer.arrayBuffer()).byteLength, 1024);
}

const bareUrl = new URL('/stremio/torz/manifest.json', baseUrl).href;
const detected = (url) => addonClient.detectFromURL(url).then(({ addon }) => addon);

await check('the linter accepts the manifest without user data', async () => {
  const manifest = await manifestAt(bareUrl);
  assertLints(manifest);
  assert.equal(manifest.behaviorHints?.configurationRequired, true, 'without user data there is nothing to play');
});
await check('the linter accepts the configured manifest', async () => {
  const manifest = await manifestAt(configuredUrl);
  assertLints(manifest);
  assert.ok(!manifest.behaviorHints?.configurationRequired, 'it is configured');
});
await check('the client recognises both as addons', async () => {
  assert.ok(await detected(bareUrl));
  assert.ok(await detected(configuredUrl));
});
for (const title of [FILM, EPISODE]) {
  await check(`the client lists streams of the ${title[0]} ${title[1]}`, async () => {
    (await streamsOf(await detected(configuredUrl), title)).forEach(assertPlayable);
  });
  await check(`the first stream of the ${title[0]} ${title[1]} plays`, async () => {
    const [first] = await streamsOf(await detected(configuredUrl), title);
    await firstBytes(first);
  });
}
await check('an unknown title is an empty list, not an error', async () => {
  const { streams } = await (await detected(configuredUrl)).get('stream', 'movie', 'tt9999999');
  assert.deepEqual(streams, []);
});

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
