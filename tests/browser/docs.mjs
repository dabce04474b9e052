// Takes the pictures of the documentation from a site in one of the states "empty", "data" and "trouble".
//
// node docs.mjs <base url> <user> <password> <out dir> <state>
import { adminPage, open } from './site.mjs';

const [base, user, password, out, state] = process.argv.slice(2);
const { browser, page } = await open(base, user, password);
await page.goto(`${base}/wp-admin/options-general.php`);
await page.fill('#blogname', 'Example Recruitment');
await page.click('#submit');

async function picture(name, url, height) {
  await page.setViewportSize({ width: 1280, height });
  await page.goto(url);
  // A picture of a person comes from elsewhere, and there is none for example.org.
  await page.addStyleTag({ content: '#wp-admin-bar-my-account .avatar, #wp-admin-bar-updates, #screen-meta-links { display: none !important; }' });
  // The simulator signs its faults; Tracker does not.
  await page.evaluate(() => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) texts.currentNode.data = texts.currentNode.data.replace('; simulated fault', '');
  });
  await page.screenshot({ path: `${out}/${name}.png` });
}

const dashboard = adminPage(base, 'halt-tracker');
const pictures = {
  empty: [['start', dashboard, 1080]],
  data: [['dashboard', dashboard, 800], ['sync-log', adminPage(base, 'halt-tracker-sync-log'), 1120], ['settings', adminPage(base, 'halt-tracker-settings', '&tab=mapping'), 960]],
  trouble: [['trouble', dashboard, 1040]],
}[state];
for (const [name, url, height] of pictures) await picture(name, url, height);
await browser.close();
