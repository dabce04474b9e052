// Uses the pages as people without a mouse do, with scripts on: everything is reached by Tab, what has the focus is seen, a
// run is watched, a row is added to the mapping, an id is copied.
//
// node keyboard.mjs <base url> <user> <password>      on a site in the state "data"
import { adminPage, open } from './site.mjs';

const [base, user, password] = process.argv.slice(2);
const { browser, page } = await open(base, user, password, { permissions: ['clipboard-read', 'clipboard-write'] });
let problems = 0;
const check = (holds, words) => {
  if (!holds) problems += 1;
  console.log(`${holds ? 'fine' : '  PROBLEM'} ${words}`);
};

/** Presses Tab until something of this name has the focus; says whether that was seen all the way. */
async function reach(name) {
  await page.evaluate(() => { document.activeElement?.blur(); window.getSelection()?.removeAllRanges(); });
  for (let turn = 0; turn < 160; turn += 1) {
    await page.keyboard.press('Tab');
    const found = await page.evaluate((wanted) => {
      const one = document.activeElement;
      const style = getComputedStyle(one);
      const says = (one.getAttribute('aria-label') ?? one.textContent).trim();
      const ours = one.closest('.halt-tracker') !== null;
      const seen = !ours || style.outlineStyle !== 'none' || style.boxShadow !== 'none';
      return { is: ours && says === wanted, seen, says };
    }, name);
    if (!found.seen) {
      check(false, `the focus is not seen on "${found.says}"`);
      return false;
    }
    if (found.is) return true;
  }
  return false;
}

await page.goto(adminPage(base, 'halt-tracker'));
check(await page.$$eval('.halt-tracker [tabindex]', (all) => all.every((one) => one.tabIndex <= 0)), 'the order of the focus is that of the page');
check(await reach('Run now'), 'Run now is reached by Tab');
// A short run is over before anybody asks: the page itself notes what it has said, and the note outlives its reload.
await page.evaluate(() => {
  const note = () => {
    if (/…$/.test(document.getElementById('halt-run-says')?.textContent ?? '')) sessionStorage.setItem('said', 'under way');
  };
  new MutationObserver(note).observe(document.body, { subtree: true, childList: true, characterData: true });
});
const reloaded = page.waitForEvent('load');
await page.keyboard.press('Enter');
await reloaded;
check((await page.evaluate(() => sessionStorage.getItem('said'))) === 'under way', 'a run says that it is under way');
check((await page.locator('.halt-verdict').count()) === 1, 'the page comes back when the run is over');

await page.goto(adminPage(base, 'halt-tracker-settings', '&tab=mapping'));
const rows = () => page.locator('.halt-map tbody tr').count();
const before = await rows();
check(await reach('Add a row'), 'Add a row is reached by Tab');
await page.keyboard.press('Enter');
check((await rows()) === before + 1, 'a row is added');
check(/\[field\]$/.test(await page.evaluate(() => document.activeElement.name ?? '')), 'the new row has the focus');
await page.keyboard.type('jobTitle');
await page.keyboard.press('Tab');
await page.keyboard.press('Tab');
await page.keyboard.type('position');
// The address is the same before and after: only the load of the answer says that it is there.
await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')]);
check((await page.innerText('.halt-tracker')).includes('Saved.'), 'Enter saves');
check((await page.$$eval('.halt-map input', (all) => all.map((one) => one.value))).includes('jobTitle'), 'the new row is kept');
await page.locator('.halt-map tbody tr').last().getByRole('button').click();
check((await rows()) === before, 'a row is removed');

// What cannot be undone is asked first, and a No changes nothing.
await page.goto(adminPage(base, 'halt-tracker-settings', '&tab=webhook'));
const secrets = () => page.getByRole('button', { name: 'Retire', exact: true }).count();
const active = await secrets();
let asked = '';
page.once('dialog', (dialog) => {
  asked = `${dialog.type()}: ${dialog.message()}`;
  dialog.dismiss();
});
let left = false;
const leaves = (request) => { left = left || (request.isNavigationRequest() && request.method() === 'POST'); };
page.on('request', leaves);
check(active > 0 && await reach('Retire'), 'Retire is reached by Tab');
await page.keyboard.press('Enter');
check(/^confirm: Retire this secret\?/.test(asked), 'a question comes before a secret is retired');
await page.reload();
check(!left && (await secrets()) === active, 'a No to it changes nothing');
page.off('request', leaves);
await page.goto(adminPage(base, 'halt-tracker-sync-log', '&state=done'));
await page.click('.wp-list-table a.row-title');
asked = '';
page.once('dialog', (dialog) => {
  asked = dialog.message();
  dialog.accept();
});
await Promise.all([page.waitForEvent('load'), page.getByRole('button', { name: 'Erase its data', exact: true }).click()]);
check(/cannot be undone/.test(asked), 'a question comes before data is erased');
check((await page.innerText('.halt-tracker')).includes('1 submission changed'), 'a Yes to it does what the button says');

await page.goto(adminPage(base, 'halt-tracker-sync-log', '&state=done'));
const copy = page.locator('[data-halt-copy]').first();
const id = await copy.getAttribute('data-halt-copy');
// The button says so for a moment only.
const says = page.waitForFunction(() => [...document.querySelectorAll('[data-halt-copy]')].some((one) => one.innerText === 'Copied'));
await copy.click();
check(await says.then(() => true, () => false), 'the button says so');
check((await page.evaluate(() => navigator.clipboard.readText())) === id, 'the id is copied');

await browser.close();
console.log(problems === 0 ? 'keyboard: no problem' : `keyboard: ${problems} problems`);
process.exit(problems === 0 ? 0 : 1);
