#!/usr/bin/env bash
# Looks at the demo's report in headless Chromium, light and dark, at 390, 768 and 1400 pixels: nothing may stick out of the page,
# and nothing may be asked of a network. Then takes the pictures of docs/images. Installs what it needs (apt, and npm for one package).
# usage: scripts/report_pictures.sh
. "$(dirname "$0")/common.sh"
need_compiler
need "${library_packages[@]}" chromium pngquant fonts-dejavu-core
command -v npm >/dev/null || need npm
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
say "building the demo"
cmake --preset release -DCARAMEL_BUILD_TESTS=OFF -DCARAMEL_BUILD_BENCHMARKS=OFF >/dev/null
cmake --build --preset release --target customer_journey
build/release/examples/customer_journey --report "$work/report.html" >/dev/null
say "looking at its report"
(cd "$work" && npm install --silent --no-audit --no-fund playwright-core)
cat >"$work/look.mjs" <<'JS'
import { chromium } from 'playwright-core';
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
let failed = 0;
for (const colorScheme of ['light', 'dark'])
    for (const width of [390, 768, 1400]) {
        const page = await browser.newPage({ colorScheme, viewport: { width, height: 900 } });
        const asked = [];
        page.on('request', (request) => asked.push(request.url()));
        await page.goto(`file://${process.cwd()}/report.html`);
        const outside = await page.evaluate(() => [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll')).length);
        const loaded = asked.filter((url) => !url.startsWith('file:') && !url.startsWith('data:')).length;
        console.log(`${colorScheme}, ${width} pixels: ${outside} elements outside of the page, ${loaded} requests`);
        failed += outside + loaded;
        if (width === 1400) {
            const end = await page.evaluate(() => document.querySelectorAll('section')[1].getBoundingClientRect().bottom);
            await page.screenshot({ path: `${colorScheme}.png`, fullPage: true, clip: { x: 0, y: 0, width, height: Math.ceil(end) + 24 } });
        }
        await page.close();
    }
await browser.close();
process.exit(failed > 0 ? 1 : 0);
JS
(cd "$work" && node look.mjs)
mkdir -p docs/images
pngquant --force --quality 70-95 --output docs/images/report.png "$work/light.png"
pngquant --force --quality 70-95 --output docs/images/report_dark.png "$work/dark.png"
ls -l docs/images/report*.png
