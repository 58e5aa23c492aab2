// The demonstration as a person sees it: sign in, watch four meters, see the prepaid one run
// empty and its relay open, buy credit, see the relay close. `again`: after a restart on the same
// files the history, the sale and the state are still there.
//
// usage: node demo.mjs first|again URL PASSWORD ARTEFACTS
import { chromium } from 'playwright-core';
import assert from 'node:assert/strict';
import path from 'node:path';

const [part, url, password, artefacts] = process.argv.slice(2);
const PREPAID = 'd645-202611000001';

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
const faults = [];
page.on('pageerror', (error) => faults.push(String(error)));
const picture = (name) => page.screenshot({ path: path.join(artefacts, `${part}-${name}.png`), fullPage: true });
const by = (id) => page.getByTestId(id);
const prepaid = () => page.locator(`[data-testid="meter-card"][data-device="${PREPAID}"]`);

try {
  await page.goto(url);
  await by('login-name').fill('admin');
  await by('login-password').fill(password);
  await by('login-submit').click();

  // Four meters with live values within ten seconds.
  const begin = Date.now();
  await page.waitForFunction(() => {
    const live = [...document.querySelectorAll('[data-testid="meter-card"]')]
      .filter((card) => /\d/.test(card.querySelector('[data-testid="power"]')?.textContent ?? ''));
    return live.length === 4;
  }, null, { timeout: 10_000 });
  console.log(`    four live meters after ${((Date.now() - begin) / 1000).toFixed(1)} s`);
  await picture('overview');

  if (part === 'first') {
    // The prepaid meter runs empty: the relay opens and the page shows it.
    await prepaid().locator('[data-testid="relay-state"][data-state="open"]').waitFor({ timeout: 90_000 });
    await picture('relay-open');

    // Buying credit closes it again.
    await prepaid().getByTestId('buy-credit').click();
    await by('buy-amount').fill('20');
    await picture('buy');
    await by('buy-confirm').click();
    await prepaid().locator('[data-testid="relay-state"][data-state="closed"]').waitFor({ timeout: 60_000 });
    await picture('relay-closed');
  } else {
    // The credit that was bought before the restart is still there.
    const balance = await prepaid().getByTestId('balance').textContent();
    const money = Number(balance.replace(/[^\d.,-]/g, '').replace(',', ''));
    assert.ok(money > 10 && money < 21, `balance after the restart: ${balance}`);
    await prepaid().locator('[data-testid="relay-state"][data-state="closed"]').waitFor({ timeout: 10_000 });
  }

  // The same on a phone, and nothing scrolls sideways.
  await page.setViewportSize({ width: 390, height: 844 });
  await by('meter-card').first().waitFor();
  // Charts take their new width with the next frame; after that nothing may stick out.
  await page.waitForFunction(
    () => document.documentElement.scrollWidth <= document.documentElement.clientWidth,
    null,
    { timeout: 3_000 },
  );
  await picture('phone');
  assert.deepEqual(faults, [], 'errors in the page');
} catch (error) {
  await picture('failure').catch(() => {});
  console.error(error);
  process.exitCode = 1;
} finally {
  await browser.close();
}
