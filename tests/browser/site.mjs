// What both scripts share: a browser that is logged in, and a webhook request signed as the Webhook tab shows.
import { createHmac } from 'node:crypto';
import { chromium } from 'playwright-core';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

export const adminPage = (base, page, more = '') => `${base}/wp-admin/admin.php?page=${page}${more}`;

/** A browser and a logged-in page; without scripts the site has to work as well. */
export async function open(base, user, password, options = {}) {
  const browser = await chromium.launch({ executablePath: CHROMIUM });
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(60000);
  await page.goto(`${base}/wp-login.php?redirect_to=${encodeURIComponent(adminPage(base, 'halt-tracker'))}`);
  await page.fill('#user_login', user);
  await page.fill('#user_pass', password);
  await Promise.all([page.waitForURL(/wp-admin/), page.click('#wp-submit')]);
  return { browser, page };
}

/** Sends one submission to the webhook; gives the status and the answer. */
export async function webhook(base, secret, submission) {
  const body = JSON.stringify(submission);
  const time = Math.floor(Date.now() / 1000).toString();
  const sign = createHmac('sha256', secret).update(`${time}.${body}`).digest('hex');
  const headers = { 'Content-Type': 'application/json', 'X-Halt-Timestamp': time, 'X-Halt-Webhook-Signature': sign };
  const answer = await fetch(`${base}/wp-json/halt-tracker/v1/ingest`, { method: 'POST', body, headers });
  return { status: answer.status, body: await answer.json() };
}

/** Tells the Tracker simulator how to behave from now on. */
export async function simulator(sim, switches) {
  const headers = { 'Content-Type': 'application/json' };
  const answer = await fetch(`${sim}/_sim/switches`, { method: 'POST', headers, body: JSON.stringify(switches) });
  if (!answer.ok) throw new Error(`the simulator refused ${JSON.stringify(switches)}: ${await answer.text()}`);
}
