// Proof that the simulator is TorBox and not somebody's idea of it: TorBox's official SDK, with its own validation of
// every answer switched on, signs in, checks the cache, adds, lists, links, queues and deletes.
//
//   npm ci
//   chill-sim world --json --seed demo --key demo-store-key-0123456789   # prints the addresses as one line of JSON
//   node check.mjs <torbox url> [key]                                    # that key unless another one is given
//
// The world has to hold the demo's seed and an account with that key that has no items yet. Each check prints a line;
// exit code 0 when all held, 1 at the first that did not, 2 for wrong usage.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { TorboxApi } from '@torbox/torbox-api';

const [baseUrl, key = 'demo-store-key-0123456789'] = process.argv.slice(2);
if (!baseUrl) {
  console.error('usage: node check.mjs <torbox url> [key]');
  process.exit(2);
}

// Hashes of the demo's seed: a cached film of one file in a folder, one that has to be fetched, one nobody seeds.
const CACHED = '1968000000000000000000000000000000000720';
const FETCHED = '1968000000000000000000000000000000001081';
const DEAD = '1968000000000000000000000000000000000000';
const UNKNOWN = 'ffffffffffffffffffffffffffffffffffffffff';
const magnet = (hash) => `magnet:?xt=urn:btih:${hash}&dn=sdk-check`;

const sdk = new TorboxApi({ token: key, baseUrl });
// By the documents `mylist` with an id answers one object, which the SDK's model of a list does not allow.
const unvalidated = { validation: { responseValidation: false } };
let checks = 0;

async function check(name, body) {
  try {
    const result = await body();
    checks += 1;
    console.log(`ok   ${name}`);
    return result;
  } catch (error) {
    console.error(`FAIL ${name}\n${error.stack ?? error}`);
    process.exit(1);
  }
}

/** What the SDK threw; a call that was not refused fails the check. */
async function refusal(call) {
  let result;
  try {
    result = await call;
  } catch (error) {
    return error;
  }
  assert.fail(`not refused: ${JSON.stringify(result.data)}`);
}

/** The JSON of an answer the SDK has no model for. */
const json = (response) => JSON.parse(new TextDecoder().decode(response.raw));

await check('the API is up', async () => {
  const { data } = await sdk.general.getUpStatus();
  assert.equal(data.success, true);
});

await check('user data of a Pro account', async () => {
  const { data } = await sdk.user.getUserData('v1', { settings: 'false' });
  assert.equal(data.success, true);
  assert.equal(data.data.plan, 2);
  assert.equal(data.data.isSubscribed, true);
  assert.ok(Date.parse(data.data.premiumExpiresAt) > Date.now());
});

await check('a wrong key is refused with 403', async () => {
  const stranger = new TorboxApi({ token: 'wrong', baseUrl });
  const error = await refusal(stranger.torrents.getTorrentList('v1'));
  assert.equal(error.metadata.status, 403);
  assert.equal(JSON.parse(new TextDecoder().decode(error.raw)).error, 'BAD_TOKEN');
});

await check('an empty list is 404 and no failure', async () => {
  const error = await refusal(sdk.torrents.getTorrentList('v1', { bypassCache: 'true' }));
  assert.equal(error.metadata.status, 404);
  assert.equal(JSON.parse(new TextDecoder().decode(error.raw)).success, true);
});

await check('cache check as object, by hash', async () => {
  const hash = [CACHED, FETCHED.toUpperCase(), UNKNOWN].join(',');
  const { data } = await sdk.torrents.getTorrentCachedAvailability('v1', { hash, format: 'object' });
  assert.equal(data.success, true);
  assert.deepEqual(Object.keys(data.data), [CACHED]);
  assert.equal(data.data[CACHED].files, undefined);
});

const cachedFiles = await check('cache check as list, with files', async () => {
  const ask = { hash: CACHED, format: 'list', listFiles: 'true' };
  const { data } = await sdk.torrents.getTorrentCachedAvailability('v1', ask);
  assert.equal(data.data.length, 1);
  assert.equal(data.data[0].size, data.data[0].files.reduce((sum, file) => sum + file.size, 0));
  return data.data[0].files;
});

await check('cache check without a hit has no data', async () => {
  const { data } = await sdk.torrents.getTorrentCachedAvailability('v1', { hash: UNKNOWN, format: 'object' });
  assert.equal(data.success, true);
  assert.equal(data.data, null);
});

await check('what the swarm knows, by hash and by magnet', async () => {
  const byHash = await sdk.torrents.getTorrentInfo('v1', { hash: CACHED });
  const byMagnet = await sdk.torrents.getTorrentInfo1('v1', { magnet: magnet(CACHED) });
  assert.equal(byHash.data.data.hash, CACHED);
  assert.deepEqual(byMagnet.data.data, byHash.data.data);
  const error = await refusal(sdk.torrents.getTorrentInfo('v1', { hash: DEAD }));
  assert.equal(error.success, false);
});

const added = await check('a cached torrent is added at once', async () => {
  const body = { magnet: magnet(CACHED), seed: '3', allowZip: 'false' };
  const { data, metadata } = await sdk.torrents.createTorrent('v1', body);
  assert.equal(data.success, true);
  assert.match(data.detail, /^Found Cached Torrent/);
  assert.equal(data.data.hash, CACHED);
  assert.equal(metadata.headers['x-ratelimit-limit'], '300');
  return data.data;
});

await check('neither magnet nor file is refused', async () => {
  const error = await refusal(sdk.torrents.createTorrent('v1', { seed: '3' }));
  assert.equal(error.error, true);
  assert.equal(error.success, false);
});

await check('a torrent file is read', async () => {
  const info = 'd6:lengthi5e4:name9:sdk-check12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaae';
  const file = new TextEncoder().encode(`d8:announce19:http://t.example/an4:info${info}e`).buffer;
  const { data } = await sdk.torrents.createTorrent('v1', { file, seed: '3' });
  assert.equal(data.data.hash, createHash('sha1').update(info).digest('hex'));
});

await check('the list shows it present, with files from id 0', async () => {
  const { data } = await sdk.torrents.getTorrentList('v1', { bypassCache: 'true' });
  const item = data.data.find((known) => known.id === added.torrentId);
  assert.equal(item.downloadFinished && item.downloadPresent, true);
  assert.equal(item.progress, 1);
  assert.equal(item.authId, added.authId);
  assert.equal(item.files[0].id, 0);
  const paths = (files) => files.map((file) => `${file.name} ${file.size}`).sort();
  assert.deepEqual(paths(item.files), paths(cachedFiles));
});

await check('the list by id is one object', async () => {
  const ask = { id: String(added.torrentId), bypassCache: 'true' };
  const { data } = await sdk.torrents.getTorrentList('v1', ask, unvalidated);
  assert.equal(data.data.id, added.torrentId);
});

const link = await check('a link without the key in it', async () => {
  const ask = { token: key, torrentId: String(added.torrentId), fileId: '0' };
  const { data } = await sdk.torrents.requestDownloadLink('v1', ask);
  assert.equal(data.success, true);
  assert.ok(!data.data.includes(key));
  return data.data;
});

await check('the link gives bytes and ranges', async () => {
  const part = await fetch(link, { headers: { range: 'bytes=10-19' } });
  assert.equal(part.status, 206);
  assert.match(part.headers.get('content-range'), /^bytes 10-19\/\d+$/);
  assert.equal((await part.arrayBuffer()).byteLength, 10);
});

await check('the permalink redirects to the CDN', async () => {
  const permalink = `${baseUrl}/v1/api/torrents/requestdl?token=${key}&torrent_id=${added.torrentId}&redirect=true`;
  const answer = await fetch(permalink, { redirect: 'manual' });
  assert.equal(answer.status, 307);
  assert.equal(new URL(answer.headers.get('location')).host, new URL(link).host);
});

await check('an uncached torrent is charged to the hour and not present yet', async () => {
  const { data, metadata } = await sdk.torrents.createTorrent('v1', { magnet: magnet(FETCHED), seed: '3' });
  assert.equal(data.success, true);
  assert.equal(metadata.headers['x-ratelimit-limit'], '60');
  const list = await sdk.torrents.getTorrentList('v1', { bypassCache: 'true' });
  const item = list.data.data.find((known) => known.id === data.data.torrentId);
  assert.equal(item.downloadPresent, false);
  const ask = { token: key, torrentId: String(item.id), fileId: '0' };
  const error = await refusal(sdk.torrents.requestDownloadLink('v1', ask));
  assert.equal(error.metadata.status, 500);
});

await check('a torrent can be queued, listed, and deleted from the queue', async () => {
  // Slots are filled so that what is queued stays there.
  for (let n = 1; n <= 8; n += 1) {
    const { data } = await sdk.torrents.createTorrent('v1', { magnet: magnet(`${DEAD.slice(0, 38)}a${n}`), seed: '3' });
    assert.equal(typeof data.data.torrentId, 'number');
  }
  const { data } = await sdk.torrents.createTorrent('v1', { magnet: magnet(DEAD), seed: '3' });
  assert.equal(data.data.torrentId, undefined);
  assert.equal(typeof data.data.queuedId, 'number');
  const ask = { type: 'torrent', bypassCache: 'true' };
  const queue = json(await sdk.queued.getQueuedDownloads('v1', ask)).data;
  assert.deepEqual(queue.map((queued) => [queued.id, queued.hash]), [[data.data.queuedId, DEAD]]);
  await sdk.queued.controlQueuedDownloads('v1', { queued_id: data.data.queuedId, operation: 'delete', all: false });
  assert.deepEqual(json(await sdk.queued.getQueuedDownloads('v1', ask)).data, []);
});

await check('an unknown operation is refused', async () => {
  const body = { torrent_id: added.torrentId, operation: 'dance', all: false };
  const error = await refusal(sdk.torrents.controlTorrent('v1', body));
  assert.equal(error.error, 'INVALID_OPTION');
});

await check('a deleted torrent is gone, and its link with it', async () => {
  const body = { torrent_id: added.torrentId, operation: 'delete', all: false };
  const { data } = await sdk.torrents.controlTorrent('v1', body);
  assert.equal(data.success, true);
  assert.equal((await fetch(link)).status, 410);
  const ask = { id: String(added.torrentId), bypassCache: 'true' };
  assert.equal((await refusal(sdk.torrents.getTorrentList('v1', ask))).metadata.status, 404);
});

console.log(`${checks} passed, 0 failed`);
