// Brings a fresh site into the states that its pages must be good to look at in, only by what people and programs can do:
// settings saved and buttons pressed without JavaScript, Divi forms filled in, webhooks signed, and a Tracker with faults.
//
// node states.mjs data <base url> <simulator url> <user> <password>     a dozen submissions in every state
// node states.mjs trouble <base url> <simulator url> <user> <password>  Tracker refuses the credentials, and somebody pauses
import { chromium } from 'playwright-core';
import { adminPage, open, simulator, webhook } from './site.mjs';

const [wish, base, sim, user, password] = process.argv.slice(2);
const { browser, page } = await open(base, user, password, { javaScriptEnabled: false });
const settings = (tab) => page.goto(adminPage(base, 'halt-tracker-settings', `&tab=${tab}`));
const save = () => page.click('#submit');
const press = (scope, name) => page.locator(scope).getByRole('button', { name, exact: true }).first().click();

async function run() {
  await page.goto(adminPage(base, 'halt-tracker'));
  await press('.halt-tracker', 'Run now');
}

/** Runs until nothing is left that a run can do now; the site itself sends after it has answered, so that a run may be busy. */
async function settle() {
  for (let turn = 0; turn < 12; turn += 1) {
    await new Promise((done) => setTimeout(done, 400));
    await page.goto(adminPage(base, 'halt-tracker-sync-log'));
    if ((await page.locator('.wp-list-table .halt-state-queued, .wp-list-table .halt-state-sending').count()) === 0) return;
    await run();
  }
}

async function dashboard(name) {
  await page.goto(adminPage(base, 'halt-tracker'));
  await press('.halt-tracker', name);
}

async function lane(name) {
  await settings('delivery');
  await press('.halt-tracker', name);
}

/** The detail of a person's submission; the list shows names masked, so that search has to find them. */
async function detail(email) {
  await page.goto(adminPage(base, 'halt-tracker-sync-log', `&s=${encodeURIComponent(email)}`));
  await page.click('.wp-list-table a.row-title');
}

function person(first, last, form, more = {}) {
  const email = `${first}.${last}@example.org`.toLowerCase().normalize('NFD').replace(/[^a-z.@]/g, '');
  const fields = { first_name: first, last_name: last, email, phone: '+44 20 7946 0958', message: 'I would like to apply. I can start next month.' };
  return { form_id: form, fields: { ...fields, ...more.fields }, meta: { utm_source: 'linkedin', page_url: 'https://www.example.com/jobs/' }, files: more.files ?? [] };
}

const cv = (name, field = 'resume') => ({ field, name, mime: 'application/pdf', encoding: 'base64', content: Buffer.from(`%PDF-1.4\n% ${name}\n`.padEnd(48000, '.')).toString('base64') });

async function divi(slug, name, email) {
  const visitor = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium' });
  const tab = await visitor.newPage();
  await tab.goto(`${base}/?pagename=${slug}`);
  const form = tab.locator('form').first();
  for (const [field, value] of [['name', name], ['email', email], ['message', 'Please call me about the warehouse shift.']]) {
    await form.locator(`[data-original_id="${field}"]`).fill(value);
  }
  await form.locator('[type=submit], button').first().click();
  await tab.waitForSelector('[data-answered]');
  await visitor.close();
}

async function data() {
  await settings('connection');
  await page.fill('#halt-client_secret', 'sim-client-secret-0123456789');
  await page.fill('#halt-refresh_token', 'sim-refresh-token-0123456789');
  await save();
  await settings('activities');
  await page.check('#halt-activity_enabled');
  await save();
  await settings('delivery');
  await page.fill('#halt-pace', '6000');
  await save();
  await settings('webhook');
  await press('.halt-tracker', 'Generate a secret');
  const secret = await page.inputValue('#halt-new-secret');
  const send = async (submission) => {
    const answer = await webhook(base, secret, submission);
    if (answer.status !== 202) throw new Error(`the webhook answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    await settle();
  };
  const faults = (...list) => simulator(sim, { faults: list });

  await divi('d5', 'Grace Hopper', 'grace.hopper@example.org');
  await settle();
  await divi('d4', 'Ada Lovelace', 'ada.lovelace@example.org');
  await settle();
  await send(person('Jane', 'Doe', 'careers', { files: [cv('jane-doe-cv.pdf')] }));

  // A form is held for review once it was seen.
  await send(person('Priya', 'Nair', 'executive-search'));
  await settings('forms');
  const card = page.locator('fieldset', { has: page.locator('legend', { hasText: 'executive-search' }) });
  await card.locator('select').first().selectOption('hold');
  await save();
  await send(person('Tomás', 'Ribeiro', 'executive-search', { files: [cv('tomas-ribeiro-cv.pdf')] }));

  // Refused data; an activity refused beside a record that is there; a record that Tracker made without naming it.
  await faults({ on: 'create_resource', do: 'status99', times: 1 });
  await send(person('Mina', 'Park', 'careers'));
  await faults({ on: 'create_activity', do: 'status99', times: 1 });
  await send(person('Lucas', 'Meyer', 'careers'));
  await simulator(sim, { search_lag_ms: 86400000, faults: [{ on: 'create_resource', do: 'no_id', times: 1 }] });
  await send(person('Chloé', 'Bernard', 'executive-search-desk'));
  await simulator(sim, { search_lag_ms: 0, faults: [] });
  await faults({ on: 'create_resource', do: '400', times: 1 });
  await send(person('Test', 'Tester', 'temp-desk'));
  await faults();
  await detail('test.tester@example.org');
  await press('.halt-tracker', 'Discard');
  // Three in one run.
  await lane('Pause sending');
  await webhook(base, secret, person('Noah', 'Fischer', 'careers', { files: [cv('noah-fischer-cv.pdf')] }));
  await webhook(base, secret, person('Amélie', 'Laurent', 'careers'));
  await webhook(base, secret, person('Oliver', 'Wright', 'temp-desk'));
  await lane('Resume sending');
  await settle();
  // An unsigned request, for the list of refusals.
  await webhook(base, 'x'.repeat(40), person('No', 'Body', 'careers'));

  // An answer that gets lost while nothing can be looked up; then a Tracker that is away: one tries again, one waits.
  await faults({ on: 'create_resource', do: 'drop_after', times: 1 }, { on: 'search', do: '503', times: 9 }, { on: 'check_person', do: '503', times: 9 }, { on: 'get', do: '503', times: 9 });
  await send(person('Sofia', 'Rossi', 'careers', { files: [cv('sofia-rossi-cv.pdf')] }));
  await faults({ on: '*', do: '503', times: 999 });
  await send(person('Liam', 'Murphy', 'temp-desk'));
  // Arrives while sending is paused, and waits for the next run.
  await lane('Pause sending');
  await webhook(base, secret, person('Hannah', 'Schmidt', 'careers'));
  await lane('Resume sending');
}

async function trouble() {
  await simulator(sim, { faults: [{ on: 'token', do: '400', times: 999 }, { on: '*', do: '401', times: 999 }] });
  await dashboard('Test connection');
  // After its last troubles the site waits for a moment before it asks Tracker again.
  for (let turn = 0; turn < 40 && (await page.locator('.halt-card-alert', { hasText: 'HT-1504' }).count()) === 0; turn += 1) {
    await new Promise((done) => setTimeout(done, 2500));
    await run();
  }
  await lane('Pause sending');
}

try {
  await ({ data, trouble })[wish]();
} finally {
  await browser.close();
}
