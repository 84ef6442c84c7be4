// The program of a view: unpacks the meshes, draws them with three.js, and connects the controls.
// Colours are sRGB from the file to the screen: no light but a lamp at the eye, which shows shape.
"use strict";

const element = name => document.getElementById(name);
const scene = JSON.parse(element("scene").textContent);
const message = text => { element("message").textContent = text; };
const refuse = text => { message(text); element("panel").style.display = "none"; };  // its controls would do nothing

addEventListener("error", event => message(`This page failed: ${event.message}`));
addEventListener("unhandledrejection", event => message(`This page failed: ${event.reason?.message ?? event.reason}`));

const hasWebGL = () => {
  try { return Boolean(document.createElement("canvas").getContext("webgl2")); } catch { return false; }
};

if (typeof DecompressionStream === "undefined") {
  refuse("This browser is too old for this page: it takes Chrome or Edge 80, Firefox 113, Safari 16.4, or a newer one.");
} else if (!hasWebGL()) {
  refuse("This page draws with WebGL 2, which this browser doesn't have or has switched off. "
    + "Switch on hardware acceleration in its settings, or open the page in another browser.");
} else {
  start();
}

// ---- unpacking -------------------------------------------------------------------------------------------------

async function inflate() {
  const packed = Uint8Array.from(atob(element("data").textContent), letter => letter.charCodeAt(0));
  element("data").remove();
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// An array of the store: planes of bytes, the lowest first.
function stored(bytes, name) {
  const { at, count, planes } = scene.arrays[name];
  const values = new Uint32Array(count);
  for (let plane = 0; plane < planes; plane++) {
    const start = at + plane * count;
    for (let i = 0; i < count; i++) values[i] |= bytes[start + i] << (8 * plane);
  }
  return values;
}

// Columns of `rows` values each, stored as steps down the rows; the numbers wrap around at `mask`.
function summed(bytes, name, rows, mask) {
  const values = stored(bytes, name);
  for (let start = 0; start < values.length; start += rows) {
    let sum = 0;
    for (let i = start; i < start + rows; i++) {
      sum = (sum + ((values[i] >>> 1) ^ -(values[i] & 1))) & mask;
      values[i] = sum;
    }
  }
  return values;
}

function corners(bytes, name) {
  const values = stored(bytes, name);
  let unused = 0;
  for (let i = 0; i < values.length; i++) {
    values[i] = unused - values[i];
    if (values[i] === unused) unused++;
  }
  return values;
}

function geometry(bytes, name) {
  const { vertices, low, step } = scene[name];
  const steps = summed(bytes, `${name}.steps`, vertices, 0xffff);
  const places = new Float32Array(3 * vertices);
  for (let axis = 0; axis < 3; axis++) {
    const shift = low[axis] - scene.pose.centre[axis];  // near zero: single precision will do in any frame
    for (let i = 0; i < vertices; i++) places[3 * i + axis] = shift + step * steps[axis * vertices + i];
  }
  const made = new THREE.BufferGeometry();
  made.setAttribute("position", new THREE.BufferAttribute(places, 3));
  made.setIndex(new THREE.BufferAttribute(corners(bytes, `${name}.corners`), 1));
  made.computeVertexNormals();
  made.setAttribute("shade", new THREE.BufferAttribute(new Uint8Array(3 * vertices), 3, true));
  made.setAttribute("probability", new THREE.BufferAttribute(new Uint8Array(vertices), 1, true));
  made.setAttribute("open", new THREE.BufferAttribute(new Uint8Array(vertices), 1));
  return made;
}

// ---- colours ---------------------------------------------------------------------------------------------------

const PLAIN = [205, 200, 195];
const css = colour => `rgb(${colour.map(Math.round).join(",")})`;
const gradient = stops => `linear-gradient(to right, ${stops.map(css).join(", ")})`;

// A colour between stops that are evenly spread over 0 to 1.
function between(stops, share) {
  const place = Math.min(Math.max(share, 0), 1) * (stops.length - 1);
  const before = Math.min(Math.floor(place), stops.length - 2), part = place - before;
  return stops[before].map((value, k) => (1 - part) * value + part * stops[before + 1][k]);
}

const tableOf = colour => Array.from({ length: 256 }, (_, value) => colour(value));

// Fills the colours of a geometry by a table of 256 colours.
function paint(made, values, table) {
  const shade = made.attributes.shade;
  for (let i = 0; i < values.length; i++) shade.array.set(table[values[i]], 3 * i);
  shade.needsUpdate = true;
}

const PAINT = {
  vertex: `
    attribute vec3 shade; attribute float probability, open;
    varying vec3 tint; varying float skin, leftOpen; varying vec3 across; varying vec3 place;
    void main() {
      tint = shade; skin = probability; leftOpen = open;
      vec4 seen = modelViewMatrix * vec4(position, 1.0);
      across = normalMatrix * normal; place = seen.xyz;
      gl_Position = projectionMatrix * seen;
    }`,
  fragment: `
    uniform bool labels, alone; uniform float threshold, opacity, relief; uniform vec3 skinColour, otherColour, openColour;
    varying vec3 tint; varying float skin, leftOpen; varying vec3 across; varying vec3 place;
    void main() {
      bool isOpen = leftOpen > 0.5, isSkin = skin > threshold && !isOpen;
      if (alone && !isSkin) discard;
      vec3 colour = labels ? (isOpen ? openColour : isSkin ? skinColour : otherColour) : tint;
      float facing = abs(dot(normalize(across), normalize(place)));
      float light = 1.0 - relief + relief * facing;
      gl_FragColor = vec4(colour * (gl_FrontFacing ? light : 0.55 * light), opacity);
    }`,
};

function surfaceMaterial(options) {
  const colour = value => new THREE.Vector3(...value).divideScalar(255);
  return new THREE.ShaderMaterial({
    vertexShader: PAINT.vertex, fragmentShader: PAINT.fragment, side: THREE.DoubleSide, ...options,
    uniforms: {
      labels: { value: false }, alone: { value: false }, threshold: { value: 0.5 }, opacity: { value: 1 },
      relief: { value: 0.6 },
      skinColour: { value: colour(scene.scan.labels?.skin ?? PLAIN) },
      otherColour: { value: colour(scene.scan.labels?.other ?? PLAIN) },
      openColour: { value: colour(scene.scan.labels?.open ?? PLAIN) },
    },
  });
}

// ---- the scan --------------------------------------------------------------------------------------------------

function makeScan(bytes) {
  const { vertices, colour, labels, distance, parts } = scene.scan;
  const made = geometry(bytes, "scan");
  const mesh = new THREE.Mesh(made, surfaceMaterial());
  const column = (name, mask = 0xff) => summed(bytes, `scan.${name}`, vertices, mask);
  const ways = {};
  const probability = labels && column("probability");
  const counts = new Array(256).fill(0);
  if (labels) {
    const open = labels.open ? stored(bytes, "scan.open") : new Uint8Array(vertices);
    probability.forEach((value, i) => { if (!open[i]) counts[value]++; });
    made.attributes.probability.array.set(probability);
    made.attributes.open.array.set(open);
    ways.labels = { title: "labels", apply: () => {}, legend: () => labelLegend(counts) };
    if (!labels.certain) {
      const stops = [labels.other, labels.skin];
      const table = tableOf(value => between(stops, value / 255));
      ways.probability = {
        title: "probability of skin", apply: () => paint(made, probability, table),
        legend: () => barLegend("Probability of skin", gradient(stops), "0", "1"),
      };
    }
  }
  if (colour) {
    const own = column("colour");
    ways.colour = {
      title: "its own colour", relief: 0.3, legend: () => "",
      apply: () => {
        const shade = made.attributes.shade;
        for (let i = 0; i < vertices; i++) for (let k = 0; k < 3; k++) shade.array[3 * i + k] = own[k * vertices + i];
        shade.needsUpdate = true;
      },
    };
  }
  if (distance) {
    const table = tableOf(value => value === 255 ? distance.unknown : between(distance.stops, value / 254));
    const values = column("distance");
    ways.distance = {
      title: "distance to the skin", apply: () => paint(made, values, table),
      legend: () => barLegend("Predicted distance to the skin", gradient(distance.stops), "0 mm", `${distance.far_mm} mm and more`)
        + (values.includes(255) ? swatches([["not known", distance.unknown]]) : ""),
    };
  }
  if (parts) {
    const values = stored(bytes, "scan.part");
    const present = new Set(values);
    const table = tableOf(value => parts.colours[value] ?? parts.unknown);
    const shown = parts.names.map((name, i) => [name, parts.colours[i], i]).filter(([, , i]) => present.has(i));
    if ([...present].some(value => value >= parts.names.length)) shown.push(["not known", parts.unknown]);
    ways.parts = {
      title: "parts", apply: () => paint(made, values, table), legend: () => `<h2>Parts</h2>${swatches(shown)}`,
    };
  }
  ways.plain = { title: "shape alone", apply: () => paint(made, new Uint8Array(vertices), [PLAIN]), legend: () => "" };
  return { mesh, ways };
}

function swatches(rows) {
  return `<ul>${rows.map(([name, colour]) => `<li><span class="swatch" style="background:${css(colour)}"></span>${name}</li>`).join("")}</ul>`;
}

function barLegend(title, background, low, high) {
  return `<h2>${title}</h2><div class="bar" style="background:${background}"></div>`
    + `<div class="ends"><span>${low}</span><span>${high}</span></div>`;
}

function labelLegend(counts) {
  const { skin, other, open, certain } = scene.scan.labels;
  const threshold = state.threshold;
  let above = 0, all = 0;
  counts.forEach((count, value) => { all += count; if (value / 255 > threshold) above += count; });
  const share = (100 * above / Math.max(all, 1)).toFixed(1);
  const name = certain ? "skin" : `skin, probability above ${threshold.toFixed(2)}`;
  const which = open ? "vertices that are known" : "vertices";
  const rows = [[`${name}: ${share} % of the ${which}`, skin], ["other", other]];
  return `<h2>Labels</h2>${swatches(open ? [...rows, ["left open", open]] : rows)}`;
}

// ---- the template ----------------------------------------------------------------------------------------------

function makeTemplate(bytes) {
  const { vertices, plain, stops, far_mm, surface } = scene.template;
  const made = geometry(bytes, "template");
  const offset = { polygonOffset: true, polygonOffsetFactor: -1, polygonOffsetUnits: -2 };  // in front of what it lies on
  const mesh = new THREE.Mesh(made, surfaceMaterial({ ...offset, transparent: true }));
  const wires = new THREE.Mesh(made, new THREE.ShaderMaterial({  // a polygon's offset moves no lines
    wireframe: true, transparent: true, depthWrite: false,
    vertexShader: "void main() { gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0); gl_Position.z -= 2e-5 * gl_Position.w; }",
    fragmentShader: "void main() { gl_FragColor = vec4(0.12, 0.18, 0.25, 0.4); }",
  }));
  const values = summed(bytes, "template.distance", vertices, 0xff), measured = stored(bytes, "template.measured");
  const strong = tableOf(value => between(stops, value / 254)), pale = strong.map(colour => colour.map(c => 0.25 * c + 169));
  const apply = distances => {
    const shade = made.attributes.shade;
    for (let i = 0; i < vertices; i++) {
      shade.array.set(distances ? (measured[i] ? strong : pale)[values[i]] : plain, 3 * i);
    }
    shade.needsUpdate = true;
  };
  const legend = () => barLegend(`Distance of the template to the ${surface}`, gradient(stops), "0 mm", `${far_mm} mm and more`)
    + "<div>pale: not part of the face, not measured</div>";
  return { mesh, wires, apply, legend };
}

// ---- cameras ---------------------------------------------------------------------------------------------------

const centred = point => new THREE.Vector3(...point).sub(new THREE.Vector3(...scene.pose.centre));

// The image as a bent grid, and the pyramid from the camera's centre to its corners; around that centre, to be scaled.
function makeCamera(camera) {
  const { rows, columns, points } = camera;
  const centre = centred(camera.centre), shift = new THREE.Vector3(...camera.centre);
  const at = (row, column) => {
    const k = 3 * (row * columns + column);
    return points[k] === null ? null : new THREE.Vector3(...points.slice(k, k + 3)).sub(shift);
  };
  const places = [], textures = [], index = [];
  for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) {
    places.push(...(at(row, column) ?? new THREE.Vector3()).toArray());
    textures.push(column / (columns - 1), 1 - row / (rows - 1));
    const cell = [[row, column], [row + 1, column], [row + 1, column + 1], [row, column + 1]];
    if (row + 1 < rows && column + 1 < columns && cell.every(([r, c]) => at(r, c))) {
      const [a, b, c, d] = cell.map(([r, c]) => r * columns + c);
      index.push(a, b, c, a, c, d);
    }
  }
  const plane = new THREE.BufferGeometry();
  plane.setAttribute("position", new THREE.BufferAttribute(new Float32Array(places), 3));
  plane.setAttribute("uv", new THREE.BufferAttribute(new Float32Array(textures), 2));
  plane.setIndex(index);
  const material = new THREE.ShaderMaterial({
    side: THREE.DoubleSide, transparent: true, uniforms: { image: { value: null }, opacity: { value: 1 } },
    vertexShader: "varying vec2 place; void main() { place = uv; gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0); }",
    fragmentShader: "uniform sampler2D image; uniform float opacity; varying vec2 place; void main() { gl_FragColor = vec4(texture2D(image, place).rgb, opacity); }",
  });
  const picture = new THREE.Mesh(plane, material);
  const edges = [], ends = [[0, 0], [0, columns - 1], [rows - 1, columns - 1], [rows - 1, 0]].map(([r, c]) => at(r, c));
  ends.forEach((end, i) => {
    const next = ends[(i + 1) % 4];
    if (end) edges.push(0, 0, 0, ...end.toArray());
    if (end && next) edges.push(...end.toArray(), ...next.toArray());
  });
  const frame = new THREE.BufferGeometry();
  frame.setAttribute("position", new THREE.BufferAttribute(new Float32Array(edges), 3));
  const lines = new THREE.LineSegments(frame, new THREE.LineBasicMaterial({ color: 0x8a5a3a }));
  const group = new THREE.Group().add(picture, lines);
  group.position.copy(centre);
  const image = new Image();
  image.onload = () => {
    const texture = new THREE.Texture(image);
    texture.needsUpdate = true;
    material.uniforms.image.value = texture;
    draw();
  };
  image.src = camera.image;
  return { group, picture, material, ends: ends.filter(Boolean) };
}

// ---- the page --------------------------------------------------------------------------------------------------

const state = {
  colouring: "", threshold: 0.5, roll: 0, alone: false,
  showScan: true, showTemplate: false, showCameras: false,
};
let draw = () => {};

async function start() {
  THREE.ColorManagement.enabled = false;
  const bytes = await inflate();
  const canvas = element("canvas");
  // Drawings are kept: whoever reads the canvas later finds what is seen.
  const renderer = new THREE.WebGLRenderer({ canvas, antialias: true, preserveDrawingBuffer: true });
  renderer.outputColorSpace = THREE.LinearSRGBColorSpace;
  const world = new THREE.Scene(), head = new THREE.Group();  // turned so that y is up and the face looks along z
  world.add(head);
  const scan = makeScan(bytes), template = scene.template && makeTemplate(bytes), cameras = scene.cameras.map(makeCamera);
  head.add(scan.mesh, ...cameras.map(each => each.group));
  if (template) head.add(template.mesh, template.wires);

  const radius = scene.pose.radius, eye = new THREE.PerspectiveCamera(30, 1, radius / 200, radius * 200);
  const controls = new THREE.OrbitControls(eye, canvas);
  controls.rotateSpeed = 0.9;
  controls.minDistance = radius / 20;
  controls.maxDistance = radius * 60;
  controls.addEventListener("change", () => draw());

  let waiting = false;
  draw = () => {
    if (!waiting) requestAnimationFrame(() => { waiting = false; renderer.render(world, eye); });
    waiting = true;
  };

  function place() {  // the head in the world
    const up = new THREE.Vector3(...scene.pose.up), front = new THREE.Vector3(...scene.pose.front);
    const side = new THREE.Vector3().crossVectors(up, front);
    head.quaternion.setFromRotationMatrix(new THREE.Matrix4().makeBasis(side, up, front).transpose());
    head.quaternion.premultiply(new THREE.Quaternion().setFromAxisAngle(new THREE.Vector3(0, 0, 1), state.roll * Math.PI / 2));
    head.updateMatrixWorld();
  }

  const SIDES = { front: [0, 0.05, 1], left: [1, 0.05, 0], right: [-1, 0.05, 0], back: [0, 0.05, -1], top: [0, 1, 0.001] };

  // Distance from which a ball around the head is seen whole.
  const distance = ball => 1.05 * ball / Math.sin(Math.atan(Math.tan(Math.PI / 12) * Math.min(1, eye.aspect)));
  const reach = () => Math.max(radius, ...cameras.map(each => each.group.position.length()));

  // Farther away where cameras are to be seen, near again without them.
  function fit() {
    const arm = eye.position.clone().sub(controls.target);
    eye.position.copy(controls.target).add(arm.setLength(distance(state.showCameras ? reach() : radius)));
    controls.update();
  }

  function look(side) {
    eye.fov = 30;
    eye.position.set(...SIDES[side]).setLength(distance(state.showCameras ? reach() : radius));
    eye.updateProjectionMatrix();
    controls.target.set(0, 0, 0);
    controls.update();
    element("through").value = "";
    draw();
  }

  function lookThrough(number) {
    const camera = scene.cameras[number], { ends } = cameras[number];
    const turn = vector => new THREE.Vector3(...vector).applyQuaternion(head.quaternion).normalize();
    const forward = turn(camera.direction), up = turn(camera.up), right = new THREE.Vector3().crossVectors(forward, up);
    const slopes = ends.map(end => end.clone().applyQuaternion(head.quaternion))
      .map(end => [Math.abs(end.dot(right)) / end.dot(forward), Math.abs(end.dot(up)) / end.dot(forward)])
      .filter(([x, y]) => x > 0 && y > 0);
    const [wide, high] = [0, 1].map(k => Math.min(3, Math.max(0.1, ...slopes.map(slope => slope[k]))));
    eye.fov = 2 * Math.atan(1.03 * Math.max(high, wide / eye.aspect)) * 180 / Math.PI;
    eye.updateProjectionMatrix();
    const centre = centred(camera.centre).applyQuaternion(head.quaternion);
    controls.target.copy(centre).addScaledVector(forward, Math.max(centre.length(), radius / 10));
    eye.position.copy(centre);
    controls.update();
    eye.quaternion.setFromRotationMatrix(new THREE.Matrix4().makeBasis(right, up, forward.clone().negate()));
    draw();
  }

  function resize() {
    renderer.setPixelRatio(Math.min(devicePixelRatio, 2));  // another one after the page is zoomed
    renderer.setSize(innerWidth, innerHeight, false);
    eye.aspect = innerWidth / innerHeight;
    eye.updateProjectionMatrix();
    draw();  // another size empties the canvas
  }

  function show() {  // what is switched on, and the legend
    scan.mesh.visible = state.showScan;
    const way = scan.ways[state.colouring], uniforms = scan.mesh.material.uniforms;
    uniforms.labels.value = state.colouring === "labels";
    uniforms.threshold.value = state.threshold;
    uniforms.alone.value = state.alone;
    uniforms.relief.value = way.relief ?? 0.6;
    const legends = [state.showScan ? way.legend() : ""];
    if (template) {
      const distances = element("template-distance").checked;
      template.mesh.visible = state.showTemplate;
      template.wires.visible = state.showTemplate && element("wires").checked;
      template.mesh.material.uniforms.opacity.value = Number(element("opacity").value);
      if (state.showTemplate && distances) legends.push(template.legend());
    }
    const size = Number(element("camera-size").value), opacity = Number(element("image-opacity").value);
    for (const each of cameras) {
      each.group.visible = state.showCameras;
      each.picture.visible = element("show-images").checked && opacity > 0;
      each.material.uniforms.opacity.value = opacity;
      each.material.depthWrite = opacity === 1;
      each.group.scale.setScalar(size);
    }
    element("legend").innerHTML = legends.join("");
    element("threshold-value").textContent = state.threshold.toFixed(2);
    draw();
  }

  function colourBy(name) {
    state.colouring = name;
    element("colouring").value = name;
    scan.ways[name].apply();
    show();
  }

  function setTheme(dark) {
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    renderer.setClearColor(new THREE.Color().setStyle(getComputedStyle(document.documentElement).getPropertyValue("--back")));
    draw();
  }

  // Controls.
  element("title").textContent = scene.title;
  element("facts").innerHTML = "";
  for (const fact of scene.facts) element("facts").append(Object.assign(document.createElement("li"), { textContent: fact }));
  for (const [name, { title }] of Object.entries(scan.ways)) element("colouring").add(new Option(title, name));
  element("through").add(new Option("–", ""));
  scene.cameras.forEach((camera, i) => element("through").add(new Option(camera.name, i)));
  element("threshold-row").hidden = !scene.scan.labels;
  if (scene.scan.labels?.certain) element("threshold").parentElement.hidden = true;
  element("template-row").hidden = !template;
  element("cameras-row").hidden = !cameras.length;
  const switches = {
    "show-scan": "showScan", "show-template": "showTemplate", "show-cameras": "showCameras", "skin-only": "alone",
  };
  for (const [id, name] of Object.entries(switches)) {
    element(id).checked = state[name];
    element(id).addEventListener("change", event => {
      state[name] = event.target.checked;
      if (name === "showCameras" && element("through").value === "") fit();
      show();
    });
  }
  for (const id of ["wires", "opacity", "show-images", "camera-size", "image-opacity"]) element(id).addEventListener("input", show);
  element("threshold").addEventListener("input", event => { state.threshold = Number(event.target.value); show(); });
  element("colouring").addEventListener("change", event => colourBy(event.target.value));
  element("template-distance").addEventListener("change", event => { template.apply(event.target.checked); show(); });
  element("through").addEventListener("change", event => event.target.value === "" ? look("front") : lookThrough(Number(event.target.value)));
  for (const button of document.querySelectorAll("[data-side]")) button.addEventListener("click", () => look(button.dataset.side));
  element("roll").addEventListener("click", () => { state.roll = (state.roll + 1) % 4; place(); draw(); });
  element("theme").addEventListener("click", () => setTheme(document.documentElement.dataset.theme !== "dark"));
  element("fold").addEventListener("click", event => {
    const folded = element("controls").toggleAttribute("hidden");
    event.currentTarget.textContent = folded ? "+" : "–";
    event.currentTarget.setAttribute("aria-expanded", String(!folded));
  });
  addEventListener("resize", resize);
  addEventListener("keydown", event => keys(event));

  function keys(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, select")) return;
    const turn = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    const zoom = { "+": 0.9, "=": 0.9, "-": 1 / 0.9 }[event.key];
    const box = { s: "show-scan", t: "show-template", c: "show-cameras" }[event.key.toLowerCase()];
    const way = Object.keys(scan.ways)[Number(event.key) - 1];
    const arm = eye.position.clone().sub(controls.target);
    if (turn && event.shiftKey) {
      const step = arm.length() * 0.03;
      const move = new THREE.Vector3(turn[0], -turn[1], 0).multiplyScalar(step).applyQuaternion(eye.quaternion);
      eye.position.add(move);
      controls.target.add(move);
    } else if (turn) {
      const flat = Math.hypot(arm.x, arm.z), angle = Math.atan2(arm.x, arm.z) - turn[0] * 0.1;
      const tilt = Math.min(1.55, Math.max(-1.55, Math.atan2(arm.y, flat) + turn[1] * 0.1)), reach = arm.length();
      arm.set(Math.cos(tilt) * Math.sin(angle), Math.sin(tilt), Math.cos(tilt) * Math.cos(angle)).multiplyScalar(reach);
      eye.position.copy(controls.target).add(arm);
    } else if (zoom) {
      eye.position.copy(controls.target).addScaledVector(arm, zoom);
    } else if (event.key === "Home") {
      look("front");
    } else if (box) {
      element(box).click();
    } else if (way) {
      colourBy(way);
    } else {
      return;
    }
    event.preventDefault();
    controls.update();
    draw();
  }

  // The first picture: a registration's template on the scan's own colour, or a prediction's labels.
  if (template) {
    state.showTemplate = element("show-template").checked = true;
    element("template-distance").checked = true;
    template.apply(true);
  }
  const first = template ? ["colour", "labels", "plain"] : ["labels", "colour", "plain"];
  place();
  setTheme(matchMedia("(prefers-color-scheme: dark)").matches);
  resize();
  look("front");
  colourBy(first.find(name => name in scan.ways));
  message("");
  document.documentElement.dataset.ready = "yes";
}
