import { strToU8, zipSync } from "../../vendor/fflate.js";

const CORE = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02";
const TYPES = `<?xml version="1.0" encoding="UTF-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="model" ContentType="application/vnd.ms-package.3dmanufacturing-3dmodel+xml"/></Types>`;
const RELATIONS = `<?xml version="1.0" encoding="UTF-8"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Target="/3D/3dmodel.model" Id="rel0" Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/></Relationships>`;

/** A core 3MF file of a mesh in millimetres. @param {import("../mesher/solid.js").Mesh} mesh @returns {Uint8Array} */
export function threemf({ vertices, faces }) {
  const points = [];
  for (let i = 0; i < vertices.length; i += 3) {
    const [x, y, z] = [0, 1, 2].map((k) => +vertices[i + k].toFixed(5));
    points.push(`<vertex x="${x}" y="${y}" z="${z}"/>`);
  }
  const triangles = [];
  for (let i = 0; i < faces.length; i += 3) {
    triangles.push(`<triangle v1="${faces[i]}" v2="${faces[i + 1]}" v3="${faces[i + 2]}"/>`);
  }
  const model = `<?xml version="1.0" encoding="UTF-8"?>
<model unit="millimeter" xmlns="${CORE}"><resources><object id="1" type="model"><mesh><vertices>${points.join("")}</vertices><triangles>${triangles.join("")}</triangles></mesh></object></resources><build><item objectid="1"/></build></model>`;
  return zipSync({
    "[Content_Types].xml": strToU8(TYPES), "_rels/.rels": strToU8(RELATIONS), "3D/3dmodel.model": strToU8(model),
  }, { level: 6 });
}
