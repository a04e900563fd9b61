// A photo as a small JPEG. Drawing it again also turns it upright, and leaves out where and with what it was taken.

const MAX_SIDE = 1_600;
const QUALITY = 0.85;

/** @param {File} photo */
export async function smaller(photo) {
  try {
    const bitmap = await createImageBitmap(photo);
    const scale = Math.min(1, MAX_SIDE / Math.max(bitmap.width, bitmap.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(bitmap.width * scale);
    canvas.height = Math.round(bitmap.height * scale);
    canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    /** @type {Blob | null} */
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
    return blob ? new File([blob], "photo.jpg", { type: blob.type }) : photo;
  } catch {
    return photo; // no picture: the server says so
  }
}
