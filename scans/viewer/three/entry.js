// All of three.js that `view.js` uses; ../page.py puts the bundle into each page.
export {
  BufferAttribute, BufferGeometry, Color, ColorManagement, DoubleSide, Group, LineBasicMaterial, LineSegments,
  LinearSRGBColorSpace, Matrix4, Mesh, PerspectiveCamera, Quaternion, Scene, ShaderMaterial, Texture, Vector3, WebGLRenderer,
} from "three";
export { OrbitControls } from "three/addons/controls/OrbitControls.js";
