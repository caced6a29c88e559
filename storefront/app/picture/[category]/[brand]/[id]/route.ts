import { picture } from "@/lib/pictures";

const headers = {
  "content-type": "image/svg+xml",
  "cache-control": "public, max-age=604800",
  "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
};

interface Context {
  params: Promise<{ category: string; brand: string; id: string }>;
}

export async function GET(_: Request, { params }: Context): Promise<Response> {
  const { category, brand, id } = await params;
  return new Response(picture(category, brand, id), { headers });
}
