import { standing } from "../standing.js";
import { vertexNormals } from "../mesher/stairs.js";

/**
 * The studio's server at this computer.
 *
 * Its link has a token behind the `#`: no browser sends that on, and the page takes it away from the address at once.
 */
const KEPT = "maquette-token";
const HEADER = "X-Maquette-Token";

function tokenOfLink() {
  const found = /^#token=([\w-]+)$/.exec(location.hash);
  try {
    if (found) sessionStorage.setItem(KEPT, found[1]);
    return found?.[1] ?? sessionStorage.getItem(KEPT);
  } catch {
    return found?.[1] ?? null; // a browser that keeps nothing
  } finally {
    if (found) history.replaceState(null, "", location.pathname);
  }
}

export class Server {
  #token;

  /** The server that the page came from; null where there is none, as on a web host. */
  static found() {
    const token = tokenOfLink();
    return token ? new Server(token) : null;
  }

  constructor(token) { this.#token = token; }

  /**
   * Asks for something.
   * @param {"GET" | "POST"} method
   * @param {string} path below api/
   * @param {object} [fields] those that are null, empty or undefined are left out
   * @param {Blob} [body]
   * @returns {Promise<Response>} rejected with an error whose `key` is a word, or a line to show
   */
  async ask(method, path, fields = {}, body = undefined) {
    const given = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined && value !== "");
    const query = new URLSearchParams(given).toString();
    let response;
    try {
      response = await fetch(`api/${path}${query && `?${query}`}`, { method, body, headers: { [HEADER]: this.#token } });
    } catch {
      throw Object.assign(new Error("no server"), { key: "noServer" });
    }
    if (response.ok) return response;
    const said = await response.json().catch(() => ({}));
    throw Object.assign(new Error(said.error ?? response.status), { key: said.key ?? said.error ?? "broken" });
  }

  async json(method, path, fields) { return (await this.ask(method, path, fields)).json(); }

  /** A mesh that the server makes of pictures or of a scan, as the page's own worker would give it. */
  async mesh(path, fields, body) {
    return meshOf(await (await this.ask("POST", path, fields, body)).arrayBuffer());
  }
}

/** Pictures in one body: of each its length, then its bytes. @param {Blob[]} pictures */
export const packed = (pictures) => new Blob(pictures.flatMap((one) => [little(one.size), one]));

const little = (value) => {
  const bytes = new DataView(new ArrayBuffer(4));
  bytes.setUint32(0, value, true);
  return bytes.buffer;
};

/** A mesh as the server reads it. */
export function meshBody({ vertices, faces }) {
  let text = JSON.stringify({ vertices: vertices.length / 3, faces: faces.length / 3 });
  text += " ".repeat((4 - (text.length % 4)) % 4);
  return new Blob([little(text.length), text, vertices, faces]);
}

function meshOf(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const told = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const at = 4 + length;
  const vertices = new Float32Array(buffer.slice(at, at + 12 * told.vertices));
  const faces = new Uint32Array(buffer.slice(at + 12 * told.vertices, at + 12 * (told.vertices + told.faces)));
  return {
    vertices, faces, normals: vertexNormals(vertices, faces), sides: told.extents_mm, dropped: told.dropped,
    volumeMm3: told.volume_mm3, told,
    standing: { ...standing({ vertices, faces }), stands: told.stands, sides: told.falls ? told.falls.split(" ") : null },
  };
}
