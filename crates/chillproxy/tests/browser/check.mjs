// Uses the configure page of a running Chillproxy in Chromium, as a viewer does: fills the form, sees the sample list
// change, gets a link, opens an existing one, all of it with the keyboard alone and without script too.
//
//   npm ci && node check.mjs <base URL> <configured manifest URL> [directory for screenshots]
//
// The server must stand on the simulators' demo world (`chill-sim world --seed demo`), whose account is named below.
// Prints a line for each check and `N passed, N failed` at the end; leaves with 1 when a check failed. A link is a
// credential, so no line repeats an address.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const BROWSERS = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'];
const STORE_KEY = 'demo-store-key-0123456789';
const LINK_ID = '11111111-2222-4333-8444-555555555555';
const PATIENCE_MS = 20_000;
const DESKTOP = { width: 1100, height: 1000 };
const PHONE = { width: 390, height: 844 };

const [baseUrl, manifestUrl, pictures] = process.argv.slice(2);
if (!baseUrl || !manifestUrl) {
  console.error('usage: node check.mjs <base URL> <configured manifest URL> [directory for screenshots]');
  process.exit(2);
}
const executablePath = BROWSERS.find(existsSync);
if (!executablePath) {
  console.error(`none of ${BROWSERS.join(', ')} is there; install chromium-headless-shell`);
  process.exit(2);
}

const pageUrl = new URL('/stremio/torz/configure', baseUrl).href;
const browser = await chromium.launch({ executablePath });
let passed = 0;
let failed = 0;

async function check(what, options, body) {
  const context = await browser.newContext({ viewport: DESKTOP, ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const complaints = [];
  page.on('console', (message) => { if (['error', 'warning'].includes(message.type())) complaints.push(message.text()); });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol !== 'data:' && origin !== new URL(baseUrl).origin) complaints.push('something was loaded from elsewhere');
  });
  try {
    await body(page, context);
    assert.deepEqual(complaints, [], 'the browser complains');
    passed += 1;
    console.log(`ok      ${what}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${what}: ${withoutAddresses(error?.message ?? String(error))}`);
  } finally {
    await context.close();
  }
}

function withoutAddresses(text) {
  return text.replaceAll(/(https?|stremio):\/\/\S+/g, '<address>').replaceAll(/torz\/[\w-]{20,}/g, 'torz/<link>').slice(0, 600);
}

const settings = (link) => JSON.parse(Buffer.from(new URL(link).pathname.split('/')[3], 'base64url').toString());
const shown = (page) => page.locator('#preview li').count();

async function until(what, holds) {
  const end = Date.now() + PATIENCE_MS;
  while (!(await holds())) {
    assert.ok(Date.now() < end, `${what}: it never happened`);
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
}

async function linkOf(page) {
  const link = await page.inputValue('#link');
  assert.match(link, /^http.*\/stremio\/torz\/[\w-]+\/manifest\.json$/);
  assert.equal(await page.getAttribute('#open', 'href'), link.replace(/^https?/, 'stremio'));
  assert.equal(await page.locator('#install svg.qr').count(), 1);
  const manifest = await fetch(link);
  assert.equal(manifest.status, 200, 'the link is one');
  return link;
}

await check('a filled form becomes an install link', {}, async (page, context) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.goto(pageUrl);
  await page.selectOption('[id="s0.c"]', 'tb');
  await page.fill('[id="s0.auth"]', LINK_ID);
  await page.check('#cached');
  await page.fill('#sort', '-size');
  await page.fill('#filter', 'Resolution >= "1080p"');
  await page.click('#save');
  const link = await linkOf(page);
  const said = settings(link);
  assert.deepEqual(said.stores, [{ c: 'tb', auth: LINK_ID }]);
  assert.deepEqual([said.cached, said.sort, said.filter], [true, '-size', 'Resolution >= "1080p"']);
  await page.click('#copy');
  await until('it is copied', async () => (await page.textContent('#copied')) === 'Copied');
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), link);
});

await check('the sample list follows what is typed, and mistakes are told with their place', {}, async (page) => {
  await page.goto(pageUrl);
  const all = await shown(page);
  await page.fill('#filter', 'Resolution >= "2160p"');
  await until('the list is shorter', async () => (await shown(page)) < all && (await shown(page)) > 0);
  await page.fill('#tn', 'Mine: {{ Resolution }}');
  await until('the names are mine', async () => (await page.textContent('#preview li .name')) === 'Mine: 4k');
  await page.fill('#filter', 'Resolution >=');
  await until('the mistake is told', async () => /line 1, column 14/.test(await page.textContent('#filter-wrong')));
  assert.equal(await page.getAttribute('#filter', 'aria-invalid'), 'true');
  await page.fill('#filter', '');
  await until('it is gone', async () => (await page.textContent('#filter-wrong')) === '' && (await shown(page)) === all);
});

await check('a token is checked at its store without leaving the page', {}, async (page) => {
  await page.goto(pageUrl);
  await page.selectOption('[id="s0.c"]', 'tb');
  const verdict = () => page.textContent('#verdict-0');
  await page.fill('[id="s0.t"]', 'no-such-token-0123456789');
  await page.click('button[data-slot="0"]');
  await until('it is refused', async () => /does not accept/.test(await verdict()));
  await page.fill('[id="s0.t"]', STORE_KEY);
  await page.click('button[data-slot="0"]');
  await until('it is accepted', async () => /TorBox accepts this token/.test(await verdict()));
  assert.ok(!(await page.content()).includes(STORE_KEY), 'the token is nowhere in the page');
});

await check('an indexer of my own is checked, and is in my link', {}, async (page) => {
  await page.goto(pageUrl);
  await page.click('button[value="more-indexer"]');
  await page.selectOption('[id="i0.n"]', 'generic');
  await page.fill('[id="i0.u"]', 'http://127.0.0.1:9117/api');
  await page.click('button[data-slot="i0"]');
  await until('a private address is refused', async () => /not public/.test(await page.textContent('#verdict-i0')));
  await page.fill('[id="i0.u"]', 'https://indexer.example/api');
  await page.fill('[id="i0.ak"]', 'indexer-key-0123456789');
  await page.selectOption('[id="s0.c"]', 'tb');
  await page.fill('[id="s0.auth"]', LINK_ID);
  await page.click('#save');
  const said = settings(await linkOf(page));
  assert.deepEqual(said.indexers, [{ n: 'generic', u: 'https://indexer.example/api', ak: 'indexer-key-0123456789' }]);
  assert.ok(!(await page.inputValue('[id="i0.ak"]')), 'the key is not written out');
});

await check('an existing link opens with its settings and keeps its right', {}, async (page) => {
  await page.goto(manifestUrl.replace(/manifest\.json$/, 'configure'));
  await linkOf(page);
  assert.equal(await page.inputValue('[id="s0.c"]'), 'tb');
  assert.equal(await page.inputValue('[id="s0.auth"]'), '', 'the link id is not written out');
  await page.fill('#total', '3');
  await page.click('#save');
  await page.waitForURL((url) => url.hash === '#install');
  const link = await linkOf(page);
  assert.deepEqual(settings(link).stores, settings(manifestUrl).stores);
  assert.equal(await page.inputValue('#total'), '3');
  const list = await fetch(link.replace('manifest.json', 'stream/movie/tt0063350.json'));
  const { streams } = await list.json();
  assert.ok(streams.length > 0 && streams.length <= 3, `${streams.length} streams`);
});

await check('the keyboard alone is enough', {}, async (page) => {
  await page.goto(pageUrl);
  const focused = () => page.evaluate(() => document.activeElement.id);
  const reach = async (id) => {
    for (let presses = 0; presses < 40 && (await focused()) !== id; presses += 1) await page.keyboard.press('Tab');
    assert.equal(await focused(), id, `${id} cannot be reached`);
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.notEqual(outline, 'none', `${id} does not show that it has the focus`);
  };
  await reach('s0.c');
  await page.keyboard.type('TorBox');
  await reach('s0.auth');
  await page.keyboard.type(LINK_ID);
  await reach('cached');
  await page.keyboard.press('Space');
  await reach('save');
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => url.hash === '#install');
  assert.equal(settings(await linkOf(page)).cached, true);
  await reach('open');
});

await check('it works without script', { javaScriptEnabled: false }, async (page) => {
  await page.goto(pageUrl);
  await page.selectOption('[id="s0.c"]', 'tb');
  await page.fill('[id="s0.t"]', STORE_KEY);
  await page.fill('#sort', 'colour');
  await page.click('button[data-slot="0"]');
  assert.match(await page.textContent('#verdict-0'), /TorBox accepts this token/);
  assert.match(await page.textContent('#sort-wrong'), /colour/);
  await page.fill('#sort', 'size');
  await page.press('#sort', 'Enter');
  const said = settings(await linkOf(page));
  assert.deepEqual([said.stores, said.sort], [[{ c: 'tb', t: STORE_KEY }], 'size']);
});

await check('hostile settings stay text', {}, async (page) => {
  const evil = '"></textarea><script>document.title="taken"</script><img src=x onerror=alert(1)>';
  const said = { stores: [{ c: 'tb', t: 'x' }], filter: evil, tn: `${evil}{{ Resolution }}`, td: evil };
  const segment = Buffer.from(JSON.stringify(said)).toString('base64url');
  await page.goto(new URL(`/stremio/torz/${segment}/configure`, baseUrl).href);
  assert.equal(await page.inputValue('#filter'), evil);
  assert.equal(await page.title(), 'Chillproxy Torz');
  assert.equal(await page.locator('img').count(), 0);
});

const looks = [
  ['light', { colorScheme: 'light' }],
  ['dark', { colorScheme: 'dark' }],
  ['phone', { colorScheme: 'light', viewport: PHONE, isMobile: true, hasTouch: true }],
];
for (const [name, options] of looks) {
  await check(`it fits, reads well and has large targets: ${name}`, options, async (page) => {
    const said = { stores: [{ c: 'tb', auth: LINK_ID }], cached: true, sort: '-size', filter: 'Resolution >= "720p"' };
    const segment = Buffer.from(JSON.stringify(said)).toString('base64url');
    await page.goto(new URL(`/stremio/torz/${segment}/configure`, baseUrl).href);
    const { wide, small, dim } = await page.evaluate(measure);
    assert.ok(!wide, 'it scrolls sideways');
    assert.deepEqual(small, [], 'targets are too small');
    assert.deepEqual(dim, [], 'text is hard to read');
    if (pictures) {
      mkdirSync(pictures, { recursive: true });
      await page.screenshot({ path: join(pictures, `configure-${name}.png`) });
    }
  });
}

// Runs in the page. Contrast as WCAG 2.2 counts it (1.4.3), targets as 2.5.5 wants them.
function measure() {
  const channels = (color) => color.match(/[\d.]+/g).map(Number);
  const linear = (c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const ground = (element) => {
    for (let up = element; up; up = up.parentElement) {
      const color = channels(getComputedStyle(up).backgroundColor);
      if (color.length < 4 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const ratio = (element) => {
    const [a, b] = [light(channels(getComputedStyle(element).color)), light(ground(element))].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  };
  const seen = (element) => element.getClientRects().length > 0 && !element.classList.contains('first');
  const named = (element) => element.id || element.textContent.slice(0, 30) || element.tagName;
  const texts = [...document.querySelectorAll('h1,h2,legend,label,p,a,button,input,textarea,select,pre,span')].filter(seen);
  const targets = [...document.querySelectorAll('a,button,input:not([type=hidden],[type=checkbox]),select,textarea')];
  return {
    wide: document.documentElement.scrollWidth > window.innerWidth,
    small: targets.filter(seen).filter((target) => target.getBoundingClientRect().height < 44).map(named),
    dim: texts.filter((text) => ratio(text) < 4.5).map(named),
  };
}

await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
