//! Which pages are looked at, and the questions that are asked of each in the browser.

/// Every page: its name, its path, and a word that is on it.
pub(super) const PAGES: [(&str, &str, &str); 12] = [
    ("home", "/", "Test 10001"),
    ("organization", "/organizations/10001", "recurring plans"),
    ("refused", "/organizations/10002", "refused"),
    ("giving", "/organizations/10001/giving", "Engagement"),
    ("mailchimp", "/organizations/10001/mailchimp", "No plugin"),
    ("runs", "/organizations/10001/runs", "full"),
    (
        "records",
        "/organizations/10001/records",
        "total_gross_amount",
    ),
    ("audit", "/organizations/10001/audit", "Audit trail"),
    ("alerts", "/alerts", "Test 10002"),
    ("system", "/system", "Memory"),
    ("missing", "/organizations/7", "no organization 7"),
    ("login", "/login", "Token"),
];

/// Texts whose colour is too near to what is behind them: less than 4.5, or 3 where they are large.
pub(super) const PALE: &str = "
    const canvas = document.createElement('canvas');
    const context = canvas.getContext('2d', { willReadFrequently: true });
    const known = new Map();
    const numbers = (colour) => {
      if (!known.has(colour)) {
        context.clearRect(0, 0, 1, 1);
        context.fillStyle = colour; context.fillRect(0, 0, 1, 1);
        known.set(colour, [...context.getImageData(0, 0, 1, 1).data]);
      }
      return known.get(colour);
    };
    const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
      .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
      .reduce((sum, v, place) => sum + v * [.2126, .7152, .0722][place], 0);
    const behind = (element) => {
      const layers = [];
      for (let at = element; at; at = at.parentElement) {
        const [r, g, b, a] = numbers(getComputedStyle(at).backgroundColor);
        if (a > 0) layers.push([r, g, b, a / 255]);
        if (a === 255) break;
      }
      return layers.reverse().reduce(
        (under, [r, g, b, a]) => [r, g, b].map((v, i) => v * a + under[i] * (1 - a)), [255, 255, 255]);
    };
    const pale = [];
    for (const element of document.querySelectorAll('body *')) {
      const own = [...element.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
      const style = getComputedStyle(element);
      if (!own || style.visibility === 'hidden' || !element.getClientRects().length) continue;
      if (element.closest('.hidden, .skip, .tip, thead')) continue;
      const ink = element.closest('svg') ? style.fill : style.color;
      const [a, b] = [light(numbers(ink)), light(behind(element))].sort((a, b) => b - a);
      const contrast = (a + .05) / (b + .05);
      const size = parseFloat(style.fontSize);
      const isLarge = size >= 24 || (size >= 18.6 && +style.fontWeight >= 700);
      if (contrast < (isLarge ? 3 : 4.5)) {
        pale.push(element.tagName + '.' + element.getAttribute('class') + ' ' + contrast.toFixed(2));
      }
    }
    return [...new Set(pale)];";

/// Rows of tables that a phone would have to be pushed sideways for, where they could be stacked.
pub(super) const CLIPPED: &str = "
    return [...document.querySelectorAll('table.stack')]
      .filter(t => t.scrollWidth > t.parentElement.clientWidth + 1)
      .map(t => t.parentElement.getAttribute('aria-label'));";

/// What is wrong with landmarks and headings.
pub(super) const LANDMARKS: &str = "
    const wrong = [];
    for (const one of ['main', 'header.top', 'footer']) {
      if (document.querySelectorAll(one).length !== 1) wrong.push(one);
    }
    const names = [...document.querySelectorAll('nav')].map(n => n.getAttribute('aria-label'));
    if (names.includes(null) || new Set(names).size !== names.length) wrong.push('nav ' + names);
    let before = 0;
    for (const heading of document.querySelectorAll('h1, h2, h3, h4')) {
      const level = +heading.tagName[1];
      if (level > before + 1) wrong.push('skips to ' + heading.outerHTML);
      before = level;
    }
    const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
    if (new Set(ids).size !== ids.length) wrong.push('ids');
    for (const e of document.querySelectorAll('[aria-labelledby]')) {
      if (!document.getElementById(e.getAttribute('aria-labelledby'))) wrong.push(e.outerHTML);
    }
    return wrong;";
