// Sealing in the browser.
export {};
