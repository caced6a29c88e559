/** What the provider of this computer shows. */
const STYLE = `
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
  body { min-height: 100vh; margin: 0; display: grid; place-items: center; background: light-dark(#f3f4f8, #14161c) }
  main { width: min(24rem, calc(100vw - 2rem)); box-sizing: border-box; padding: 2rem; border-radius: 1rem;
    background: light-dark(#fff, #1e212a); box-shadow: 0 1rem 3rem #0003 }
  h1 { margin: 0 0 .25rem; font-size: 1.5rem } h2 { margin: 1.5rem 0 .5rem; font-size: 1rem }
  p { margin: 0; color: light-dark(#555b6b, #a7adbd) }
  label { display: block; margin-top: .75rem; font-weight: 600 }
  input, button { width: 100%; box-sizing: border-box; padding: .65rem .8rem; border-radius: .5rem; font: inherit }
  input { margin-top: .25rem; border: 1px solid light-dark(#8b91a1, #6b7183); background: transparent }
  button { margin-top: .5rem; border: 1px solid light-dark(#8b91a1, #6b7183); background: transparent; color: inherit; text-align: left; cursor: pointer }
  button.main { margin-top: 1rem; border: 0; background: #3448c5; color: #fff; text-align: center; font-weight: 600 }
  small { display: block; color: light-dark(#555b6b, #a7adbd) }`;

const SIGNS = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const text = (value) => value.replace(/[&<>"]/g, (sign) => SIGNS[sign]);

const body = (title, content) => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><style>${STYLE}</style></head><body><main>${content}</main></body></html>`;

export const signInPage = (accounts) => body("Sign in", `
<h1>Sign in</h1><p>For the shop on this computer. There are no passwords.</p>
<form method="post">${accounts.map(({ sub, name, email }) => `<button name="sub" value="${sub}">${text(name)}<small>${text(email)}</small></button>`).join("")}</form>
<h2>Or create an account</h2>
<form method="post">
  <label>Your name<input name="name" autocomplete="name" required></label>
  <label>E-mail<input name="email" type="email" autocomplete="email" required></label>
  <button class="main">Create account</button>
</form>`);

/** Asks nothing: who comes here has pressed the shop's button. */
export const signOutPage = (form) => body("Signing out", `${form}<script>
  const said = Object.assign(document.createElement("input"), { type: "hidden", name: "logout", value: "yes" });
  document.forms[0].append(said);
  document.forms[0].submit();
</script>`);

export const signedOutPage = () => body("Signed out", "<h1>You are signed out</h1><p>You may close this page.</p>");
