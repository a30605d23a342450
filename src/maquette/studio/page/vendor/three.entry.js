export {
  AmbientLight, BufferAttribute, BufferGeometry, Color, DirectionalLight, EdgesGeometry, GridHelper, Group,
  HemisphereLight, Line, LineBasicMaterial, LineSegments, Mesh, MeshStandardMaterial, OrthographicCamera,
  PerspectiveCamera, Scene, Vector3, WebGLRenderer,
} from "three";
export { OrbitControls } from "three/examples/jsm/controls/OrbitControls.js";
