/** A binary glTF file of a mesh: metres, y up, facing +z. @param {import("../mesher/solid.js").Mesh} mesh */
export function glb({ vertices, faces }) {
  const points = new Float32Array(vertices.length);
  for (let i = 0; i < vertices.length; i += 3) {
    points.set([-vertices[i] / 1000, vertices[i + 2] / 1000, vertices[i + 1] / 1000], i);
  }
  const [min, max] = [[0, 1, 2].map(() => Infinity), [0, 1, 2].map(() => -Infinity)];
  points.forEach((value, i) => {
    min[i % 3] = Math.min(min[i % 3], value);
    max[i % 3] = Math.max(max[i % 3], value);
  });
  const tree = {
    asset: { version: "2.0", generator: "Maquette" },
    scene: 0, scenes: [{ nodes: [0] }], nodes: [{ mesh: 0, name: "object" }],
    meshes: [{ primitives: [{ attributes: { POSITION: 0 }, indices: 1, material: 0 }] }],
    materials: [{ pbrMetallicRoughness: { baseColorFactor: [0.8, 0.8, 0.8, 1], metallicFactor: 0, roughnessFactor: 0.8 } }],
    accessors: [
      { bufferView: 0, componentType: 5126, count: points.length / 3, type: "VEC3", min, max },
      { bufferView: 1, componentType: 5125, count: faces.length, type: "SCALAR" },
    ],
    bufferViews: [
      { buffer: 0, byteOffset: 0, byteLength: points.byteLength, target: 34962 },
      { buffer: 0, byteOffset: points.byteLength, byteLength: faces.byteLength, target: 34963 },
    ],
    buffers: [{ byteLength: points.byteLength + faces.byteLength }],
  };
  const text = new TextEncoder().encode(JSON.stringify(tree));
  const padded = Math.ceil(text.length / 4) * 4;
  const binary = points.byteLength + faces.byteLength;
  const bytes = new Uint8Array(28 + padded + binary).fill(0x20, 20, 20 + padded);
  const view = new DataView(bytes.buffer);
  [0x46546c67, 2, bytes.length, padded, 0x4e4f534a].forEach((word, k) => view.setUint32(4 * k, word, true));
  bytes.set(text, 20);
  view.setUint32(20 + padded, binary, true);
  view.setUint32(24 + padded, 0x004e4942, true);
  bytes.set(new Uint8Array(points.buffer), 28 + padded);
  bytes.set(new Uint8Array(faces.buffer, faces.byteOffset, faces.byteLength), 28 + padded + points.byteLength);
  return bytes;
}
