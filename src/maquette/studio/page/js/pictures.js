const MOST = 1200; // pixels of the longer side that are kept

/**
 * Pictures from a file, dropped, pasted or taken by the camera.
 * @param {(picture: HTMLCanvasElement) => void} take
 * @param {(key: string | null) => void} fail
 * @param {((file: File) => Promise<HTMLCanvasElement>) | null} other reads what the browser cannot
 */
export function listenForPictures(take, fail, other = null) {
  const $ = (id) => document.getElementById(id);
  const read = async (file) => {
    try {
      const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
      take(smaller(bitmap, bitmap.width, bitmap.height));
      bitmap.close();
    } catch {
      try {
        if (!other) throw new Error("no picture");
        take(await other(file));
      } catch (error) {
        fail(error.key ?? "noPicture");
      }
    }
  };
  $("picture").addEventListener("click", () => $("file").click());
  $("file").addEventListener("change", ({ target }) => {
    if (target.files[0]) read(target.files[0]);
    target.value = "";
  });
  for (const kind of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      event.preventDefault();
      document.body.classList.toggle("dropping", kind === "dragover");
      if (kind === "drop" && event.dataTransfer.files[0]) read(event.dataTransfer.files[0]);
    });
  }
  document.addEventListener("paste", (event) => {
    const file = [...event.clipboardData.files].find((one) => one.type.startsWith("image/"));
    if (file) read(file);
  });
  camera($, take, fail);
}

function smaller(source, width, height) {
  const scale = Math.min(1, MOST / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(2, Math.round(width * scale));
  canvas.height = Math.max(2, Math.round(height * scale));
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return canvas;
}

function camera($, take, fail) {
  if (!navigator.mediaDevices?.getUserMedia) return;
  $("camera").hidden = false;
  const [dialog, video] = [$("camera-dialog"), $("video")];
  dialog.addEventListener("close", () => {
    for (const track of video.srcObject?.getTracks() ?? []) track.stop();
    video.srcObject = null;
  });
  $("camera").addEventListener("click", async () => {
    try {
      video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      dialog.showModal();
    } catch {
      fail("noCamera");
    }
  });
  $("shutter").addEventListener("click", () => {
    if (video.videoWidth) take(smaller(video, video.videoWidth, video.videoHeight));
    dialog.close();
  });
  $("camera-close").addEventListener("click", () => dialog.close());
}
