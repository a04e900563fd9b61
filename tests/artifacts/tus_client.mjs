// Uploads a file with tus-js-client in two runs: the first one ends after a part, as a cut would end it.
// Usage: node tus_client.mjs ENDPOINT TOKEN BYTES

import { Upload } from "tus-js-client";

const [endpoint, token, bytes] = process.argv.slice(2);
const content = Buffer.alloc(Number(bytes), "firmware");
const options = {
  endpoint,
  chunkSize: 8 * 2 ** 20,
  retryDelays: [0, 500],
  metadata: { filename: "kiosk.swu" },
  headers: { Authorization: `Bearer ${token}` },
  uploadSize: content.length,
};

/** @param {Record<string, unknown>} more */
function run(more) {
  return new Promise((resolve, reject) => {
    const upload = new Upload(content, {
      ...options,
      ...more,
      onError: reject,
      onChunkComplete: () => {
        if (more.isCut) resolve(upload.abort().then(() => upload.url));
      },
      onSuccess: () => resolve(upload.url),
    });
    upload.start();
  });
}

const uploadUrl = await run({ isCut: true });
console.log(new URL(await run({ uploadUrl })).pathname);
