import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// Where `npm run dev` sends the API's calls: a running `easel serve`.
const backend = process.env["EASEL_URL"] ?? "http://127.0.0.1:8787";

export default defineConfig({
  // Asset addresses are relative to <base href> in index.html, so the same build works below any path.
  base: "./",
  plugins: [react(), tailwindcss()],
  build: {
    target: "es2023",
    sourcemap: false,
    // A data: font or script would need a weaker Content-Security-Policy.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 600,
  },
  server: {
    host: "127.0.0.1",
    proxy: Object.fromEntries(
      ["/api", "/v1", "/simulator", "/easel-assets", "/healthz"].map((path) => [path, backend]),
    ),
  },
});
