window.onload = () => {
  window.ui = SwaggerUIBundle({
    url: "../openapi.json",
    dom_id: "#swagger-ui",
    deepLinking: true,
    displayRequestDuration: true,
    tryItOutEnabled: true,
    validatorUrl: null,
    presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
    layout: "BaseLayout",
    // A browser sends no body with a GET. The session travels in the cookie here.
    requestInterceptor: (request) => {
      if (request.method === "GET") delete request.body;
      return request;
    },
  });
};
