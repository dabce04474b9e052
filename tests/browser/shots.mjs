// Looks at every admin page as a person would: takes pictures at two widths, and fails when a page has an axe violation,
// shows a PHP warning, or is wider than a telephone.
//
// node shots.mjs <base url> <user> <password> <out dir> [state]
//
// The state is the first part of the names of the pictures. "refused" saves a broken mapping first and looks at that.
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { adminPage, open } from './site.mjs';

const [base, user, password, out, state = 'now'] = process.argv.slice(2);
if (!out) {
  console.error('usage: node shots.mjs <base url> <user> <password> <out dir> [state]');
  process.exit(2);
}
const WIDTHS = [1280, 390];
// Only their width is looked at: the narrowest telephone, which is 1280 at four times the size, and 1280 at twice the size.
const NARROW = [640, 320];
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const WARNING = /\b(?:Warning|Notice|Deprecated|Fatal error|Parse error):.{0,300}? on line \d+/s;

mkdirSync(out, { recursive: true });
const { browser, page } = await open(base, user, password);
let problems = 0;
const problem = (words) => {
  problems += 1;
  console.log(`  PROBLEM ${words}`);
};

async function pages() {
  const list = [['dashboard', adminPage(base, 'halt-tracker')], ['sync-log', adminPage(base, 'halt-tracker-sync-log')]];
  await page.goto(list[1][1]);
  // One detail of each state that is there: they differ in what a person is asked to do.
  const details = await page.$$eval('.wp-list-table tbody tr', (rows) => rows.map((row) => [
    row.querySelector('.halt-state')?.className.match(/halt-state-(\w+)/)?.[1] ?? '', row.querySelector('a.row-title')?.href ?? '']));
  for (const [name, url] of new Map(details.filter(([, url]) => url))) list.push([`detail-${name}`, url]);
  await page.goto(adminPage(base, 'halt-tracker-settings'));
  const tabs = await page.$$eval('.nav-tab-wrapper a.nav-tab', (links) => links.map((link) => link.href));
  list.push(['help', adminPage(base, 'halt-tracker', '&help=HT-1504')], ['guide', adminPage(base, 'halt-tracker', '&guide=1')]);
  if (tabs.length > 0) list.push(['settings-mapping-text', adminPage(base, 'halt-tracker-settings', '&tab=mapping&edit=text')]);
  await page.goto(list.at(-2)[1]);
  if ((await page.locator('#halt-guide-form').count()) > 0) {
    const form = await page.inputValue('#halt-guide-form');
    list.push(['guide-preview', adminPage(base, 'halt-tracker', `&guide=1&form=${encodeURIComponent(form)}`)]);
  }
  for (const url of tabs) list.push([`settings-${new URL(url).searchParams.get('tab')}`, url]);
  return list;
}

async function look(name) {
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    await page.screenshot({ path: `${out}/${state}-${name}-${width}.png`, fullPage: true });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (wide > 0) problem(`${name}: ${wide} pixels too wide at ${width}`);
    const result = await page.evaluate(() => window.axe.run('#wpbody-content'));
    for (const found of result.violations) {
      problem(`${name} at ${width}: ${found.id} (${found.impact}): ${found.help}`);
      for (const node of found.nodes.slice(0, 3)) console.log(`    ${node.target.join(' ')}  ${node.html.slice(0, 160)}`);
    }
  }
}

const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** Beside other words a link is seen without its colour; axe asks that only where the other words are longer than the link. */
async function underlined(name) {
  const plain = await page.$$eval('.halt-stack td a, .halt-facts td a', (all) => all.filter((one) =>
    one.closest('td').innerText.trim() !== one.innerText.trim() && getComputedStyle(one).textDecorationLine !== 'underline').map((one) => one.innerText).slice(0, 3));
  if (plain.length > 0) problem(`${name}: links that only their colour shows: ${plain.join(', ')}`);
}

/** Nothing may stick out of a narrow page, nor of one that is read from right to left. */
async function narrow(name) {
  for (const width of NARROW) {
    await page.setViewportSize({ width, height: 900 });
    if ((await overflow()) > 0) problem(`${name}: ${await overflow()} pixels too wide at ${width}`);
  }
  await page.setViewportSize({ width: 390, height: 900 });
  await page.evaluate(() => { document.documentElement.dir = 'rtl'; document.body.classList.add('rtl'); });
  const out = await page.$$eval('.halt-tracker *', (all) => all.filter((one) => {
    const box = one.getBoundingClientRect();
    return box.width > 0 && (box.left < -1 || box.right > window.innerWidth + 1) && one.closest('.screen-reader-text, .halt-scroll, pre, thead') === null;
  }).map((one) => one.className || one.tagName).slice(0, 3));
  if (out.length > 0) problem(`${name}: sticks out from right to left: ${out.join(', ')}`);
}

async function visit(name, url) {
  const answer = await page.goto(url);
  if (answer && answer.status() !== 200) problem(`${name}: HTTP ${answer.status()}`);
  await inspect(name);
}

async function inspect(name) {
  const before = problems;
  const warning = (await page.innerText('body')).match(WARNING);
  if (warning) problem(`${name}: ${warning[0]}`);
  await page.addScriptTag({ path: AXE });
  await look(name);
  await underlined(name);
  await narrow(name);
  await page.setViewportSize({ width: WIDTHS[0], height: 900 });
  console.log(`${state}-${name}: ${problems === before ? 'fine' : `${problems - before} problems`}`);
}

if (state === 'refused-table') {
  await page.goto(adminPage(base, 'halt-tracker-settings', '&tab=mapping'));
  await page.fill('.halt-map input >> nth=0', 'fulName');
  await page.click('#submit');
  await page.waitForSelector('[aria-invalid]');
  await inspect('settings-mapping');
} else if (state === 'refused') {
  await page.goto(adminPage(base, 'halt-tracker-settings', '&tab=mapping&edit=text'));
  await page.fill('#halt-field_map', '{\n    "firstName": "first_name",\n    "lastName" "last_name",\n    "email": "email"\n}');
  await page.click('#submit');
  await page.waitForSelector('#halt-field_map');
  await inspect('settings-mapping');
} else {
  for (const [name, url] of await pages()) await visit(name, url);
}
await browser.close();
console.log(problems === 0 ? `${state}: no problem` : `${state}: ${problems} problems`);
process.exit(problems === 0 ? 0 : 1);
