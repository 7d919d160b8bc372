export default {
  api: {
    input: { target: process.env.DOCUMENT },
    output: { target: "./generated.ts", client: "fetch", baseUrl: process.env.LATER_URL },
  },
};
